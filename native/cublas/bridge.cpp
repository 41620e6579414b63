// A libcublas.so.12 that hands every call on to libcublas.so.13.
//
// JCublas2 is linked to the symbols of version 12, and the loader refuses those of 13. Of what JCublas2 uses, 13 has
// the same functions with the same parameters. Java loads this library before JCublas2, whose need for the name
// libcublas.so.12 is then met. See README.md.
#include <dlfcn.h>
#include <jni.h>

#include "symbols.inc"

namespace {

#define NAME(name) #name,
const char *const NAMES[] = {SYMBOLS(NAME)};
const int COUNT = sizeof NAMES / sizeof *NAMES;

// What 13 does not have says CUBLAS_STATUS_NOT_SUPPORTED.
int notSupported() { return 15; }

}  // namespace

// Where the function behind each symbol is. The assembler knows it by this name.
extern "C" {
__attribute__((visibility("hidden"))) void *unroll_cublas_functions[COUNT];
}

// Each symbol jumps to its function, with all registers and the stack as they came.
#define JUMP(name)                                                    \
  asm(".globl " #name                                                 \
      "\n.type " #name ", @function\n" #name                          \
      ": jmp *unroll_cublas_functions + 8 * symbol(%rip)\n.size " #name \
      ", . - " #name "\n.set symbol, symbol + 1");
asm(".text\n.set symbol, 0");
SYMBOLS(JUMP)

// What Java calls first. An exception makes it give the library back.
extern "C" __attribute__((visibility("default"))) jint JNI_OnLoad(JavaVM *vm, void *) {
  void *cublas = dlopen("libcublas.so.13", RTLD_LAZY | RTLD_LOCAL);
  if (cublas == nullptr) {
    const char *why = dlerror();
    JNIEnv *env = nullptr;
    if (vm->GetEnv(reinterpret_cast<void **>(&env), JNI_VERSION_1_8) == JNI_OK) {
      env->ThrowNew(env->FindClass("java/lang/UnsatisfiedLinkError"), why);
    }
    return JNI_ERR;
  }
  for (int i = 0; i < COUNT; i++) {
    void *found = dlsym(cublas, NAMES[i]);
    unroll_cublas_functions[i] = found != nullptr ? found : reinterpret_cast<void *>(notSupported);
  }
  return JNI_VERSION_1_8;
}
