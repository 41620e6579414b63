// What jni.h needs to know about 64-bit Windows, for compilers that run elsewhere.
#pragma once

#define JNIEXPORT __declspec(dllexport)
#define JNIIMPORT __declspec(dllimport)
#define JNICALL

typedef signed char jbyte;
typedef int jint;
typedef long long jlong;
