// The native methods of io.unroll.device.cpu.Native. Addresses and handles travel as long.
#include <jni.h>

#include <cstring>
#include <new>

#include "cpu.h"
#include "subnormals.h"

using namespace unroll;

namespace {

Context *context(jlong handle) { return reinterpret_cast<Context *>(handle); }

const jint *ints(jlong address) { return reinterpret_cast<const jint *>(address); }

const float *floats(jlong address) { return reinterpret_cast<const float *>(address); }

// Runs body as the threads of the pool compute; a lack of memory becomes an OutOfMemoryError.
template <class Body>
void guarded(JNIEnv *env, const Body &body) {
  SubnormalsAreZero mode;
  try {
    body();
  } catch (const std::bad_alloc &) {
    env->ThrowNew(env->FindClass("java/lang/OutOfMemoryError"), "native scratch memory");
  }
}

jstring text(JNIEnv *env, const char *of) { return env->NewStringUTF(of); }

// Native.VERSION of the classes that these functions are for.
const jint VERSION = 5;

}  // namespace

extern "C" {

JNIEXPORT jint JNICALL Java_io_unroll_device_cpu_Native_version(JNIEnv *, jclass) { return VERSION; }

JNIEXPORT jstring JNICALL Java_io_unroll_device_cpu_Native_bestIsa(JNIEnv *env, jclass) {
  const Isa *isa = bestIsa();
  return isa == nullptr ? nullptr : text(env, isa->name);
}

JNIEXPORT jstring JNICALL Java_io_unroll_device_cpu_Native_missing(JNIEnv *env, jclass) {
  return text(env, missing());
}

JNIEXPORT jlong JNICALL Java_io_unroll_device_cpu_Native_open(JNIEnv *env, jclass, jstring isaName,
                                                              jint threads, jlong cacheBytes) {
  const char *name = env->GetStringUTFChars(isaName, nullptr);
  const Isa *isa = isaByName(name);
  env->ReleaseStringUTFChars(isaName, name);
  if (isa == nullptr) return 0;
  Context *opened = new (std::nothrow) Context(threads, isa);
  if (opened != nullptr && cacheBytes > 0) opened->cacheBytes = static_cast<size_t>(cacheBytes);
  return reinterpret_cast<jlong>(opened);
}

JNIEXPORT void JNICALL Java_io_unroll_device_cpu_Native_close(JNIEnv *, jclass, jlong handle) {
  delete context(handle);
}

JNIEXPORT jlong JNICALL Java_io_unroll_device_cpu_Native_allocate(JNIEnv *, jclass, jlong bytes) {
  return reinterpret_cast<jlong>(allocate(bytes));
}

JNIEXPORT jlong JNICALL Java_io_unroll_device_cpu_Native_allocations(JNIEnv *, jclass) {
  return allocations();
}

JNIEXPORT void JNICALL Java_io_unroll_device_cpu_Native_release(JNIEnv *, jclass, jlong address) {
  release(reinterpret_cast<void *>(address));
}

JNIEXPORT jlong JNICALL Java_io_unroll_device_cpu_Native_address(JNIEnv *env, jclass,
                                                                 jobject direct) {
  return reinterpret_cast<jlong>(env->GetDirectBufferAddress(direct));
}

JNIEXPORT void JNICALL Java_io_unroll_device_cpu_Native_copyInFloats(
    JNIEnv *env, jclass, jfloatArray source, jint from, jlong target, jint count) {
  env->GetFloatArrayRegion(source, from, count, reinterpret_cast<jfloat *>(target));
}

JNIEXPORT void JNICALL Java_io_unroll_device_cpu_Native_copyInInts(JNIEnv *env, jclass,
                                                                   jintArray source, jint from,
                                                                   jlong target, jint count) {
  env->GetIntArrayRegion(source, from, count, reinterpret_cast<jint *>(target));
}

JNIEXPORT void JNICALL Java_io_unroll_device_cpu_Native_copyOutFloats(
    JNIEnv *env, jclass, jlong source, jfloatArray target, jint to, jint count) {
  env->SetFloatArrayRegion(target, to, count, floats(source));
}

JNIEXPORT void JNICALL Java_io_unroll_device_cpu_Native_copyOutInts(
    JNIEnv *env, jclass, jlong source, jintArray target, jint to, jint count) {
  env->SetIntArrayRegion(target, to, count, ints(source));
}

JNIEXPORT void JNICALL Java_io_unroll_device_cpu_Native_multiply(
    JNIEnv *env, jclass, jlong handle, jboolean transposeA, jboolean transposeB, jint m, jint n,
    jint k, jlong a, jint lda, jlong b, jint ldb, jboolean add, jlong c, jint ldc) {
  guarded(env, [&] {
    Product product{transposeA != 0, transposeB != 0, m, n, k, floats(a), lda, floats(b), ldb,
                    add != 0, reinterpret_cast<float *>(c), ldc};
    context(handle)->isa->multiply(*context(handle), product);
  });
}

// The index of a kernel by its name in io.unroll.device.Kernel; for a cell's two kernels that of the
// cell. -1 if there is none.
JNIEXPORT jint JNICALL Java_io_unroll_device_cpu_Native_kernel(JNIEnv *env, jclass, jlong handle,
                                                               jstring name) {
  const Isa *isa = context(handle)->isa;
  const char *wanted = env->GetStringUTFChars(name, nullptr);
  int found = -1;
  for (int i = 0; i < isa->kernelCount; i++) {
    if (std::strcmp(isa->kernels[i].name, wanted) == 0) found = i;
  }
  env->ReleaseStringUTFChars(name, wanted);
  return found;
}

// The index of a cell by its name, or -1; checks its numbers.
JNIEXPORT jint JNICALL Java_io_unroll_device_cpu_Native_cell(JNIEnv *env, jclass, jlong handle,
                                                             jstring name, jint gates, jint states,
                                                             jint reserved, jint unitWeights,
                                                             jboolean add) {
  const Isa *isa = context(handle)->isa;
  const char *wanted = env->GetStringUTFChars(name, nullptr);
  int found = -1;
  for (int i = 0; i < isa->cellCount; i++) {
    const CellEntry &cell = isa->cells[i];
    if (std::strcmp(cell.name, wanted) == 0 && cell.gates == gates && cell.states == states &&
        cell.reserved == reserved && cell.unitWeights == unitWeights &&
        cell.inputAndRecurrentAdd == (add != 0)) {
      found = i;
    }
  }
  env->ReleaseStringUTFChars(name, wanted);
  return found;
}

JNIEXPORT void JNICALL Java_io_unroll_device_cpu_Native_launch(JNIEnv *env, jclass, jlong handle,
                                                               jint kernel, jlong items, jlong args) {
  guarded(env, [&] {
    launch(*context(handle), context(handle)->isa->kernels[kernel], items,
           reinterpret_cast<const Argument *>(args));
  });
}

JNIEXPORT void JNICALL Java_io_unroll_device_cpu_Native_launchCell(JNIEnv *env, jclass,
                                                                   jlong handle, jint cell,
                                                                   jboolean backward, jlong items,
                                                                   jlong args) {
  guarded(env, [&] {
    const CellEntry &entry = context(handle)->isa->cells[cell];
    launch(*context(handle), backward ? entry.stepBackward : entry.stepForward, items,
           reinterpret_cast<const Argument *>(args));
  });
}

// call: a Recurrence, eight bytes a field, in the order of its declaration.
JNIEXPORT void JNICALL Java_io_unroll_device_cpu_Native_recurrence(JNIEnv *env, jclass,
                                                                   jlong handle, jboolean backward,
                                                                   jlong call) {
  guarded(env, [&] {
    const Recurrence &recurrence = *reinterpret_cast<const Recurrence *>(call);
    const CellEntry &cell = context(handle)->isa->cells[recurrence.cell];
    (backward ? cell.backward : cell.forward)(*context(handle), recurrence);
  });
}

}  // extern "C"
