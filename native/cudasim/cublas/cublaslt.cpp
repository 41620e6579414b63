// The libcublasLt.so that a libcublas.so needs beside it.
#include <cstddef>

extern "C" __attribute__((visibility("default"))) size_t cublasLtGetVersion() { return CUBLAS_MAJOR * 10000; }
