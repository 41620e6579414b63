// A libcublas.so of version CUBLAS_MAJOR for tests: what Unroll uses of cuBLAS, as work of the simulated device's
// stream. It is stricter than cuBLAS is: every product wants a workspace that was set behind the stream. Whatever it
// refuses it explains on stderr.
#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#define API extern "C" __attribute__((visibility("default")))

extern "C" {
int cuLaunchHostFunc(void *stream, void (*function)(void *), void *data);
size_t cublasLtGetVersion();
}

namespace {

enum Status { SUCCESS = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 7, EXECUTION_FAILED = 13 };
enum { R_32F = 0, DEFAULT_ALGORITHM = -1 };
enum Compute { FP32 = 68, BF16 = 75, TF32 = 77 };

struct Handle {
  void *stream;
  void *workspace;
  size_t workspaceBytes;
};

struct Operand {
  const float *at;
  int64_t ld;
  bool transposed;
  float operator()(int row, int column) const { return transposed ? at[row * ld + column] : at[column * ld + row]; }
};

// It is kept, because a graph runs it again.
struct Product {
  int m, n, k;
  float alpha, beta;
  Operand a, b;
  float *c;
  int64_t ldc;
  int compute;
  Handle handle;
};

__attribute__((format(printf, 2, 3))) int refuse(int status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "cudasim: cuBLAS: ");
  vfprintf(stderr, format, arguments);
  fprintf(stderr, "\n");
  va_end(arguments);
  return status;
}

// UNROLL_CUDASIM_CUBLAS=cublasCreate_v2:1,cublasGemmEx:13 lets these calls fail with these results.
int planned(const char *function) {
  const char *all = getenv("UNROLL_CUDASIM_CUBLAS");
  const char *found = all == nullptr ? nullptr : strstr(all, (std::string(function) + ':').c_str());
  return found == nullptr ? SUCCESS : atoi(found + strlen(function) + 1);
}

float toBits(float value, int dropped, uint32_t half) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  if (std::isfinite(value)) bits = (bits + half) >> dropped << dropped;
  memcpy(&value, &bits, sizeof bits);
  return value;
}

// As kernels/cuda rounds what enters a product.
float rounded(float value, int compute) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  switch (compute) {
    case TF32: return toBits(value, 13, 0x1000);
    case BF16: return toBits(value, 16, 0x7fff + (bits >> 16 & 1));
    default: return value;
  }
}

// The rows of op(matrix), or those of its transpose, one behind the other.
std::vector<float> pack(const Operand &matrix, int rows, int columns, bool transposed, int compute) {
  std::vector<float> packed;
  packed.reserve(static_cast<size_t>(rows) * columns);
  for (int i = 0; i < rows; i++) {
    for (int j = 0; j < columns; j++) packed.push_back(rounded(transposed ? matrix(j, i) : matrix(i, j), compute));
  }
  return packed;
}

void run(void *data) {
  const Product &p = *static_cast<const Product *>(data);
  // Whatever is there is lost.
  memset(p.handle.workspace, 0xff, std::min<size_t>(4096, p.handle.workspaceBytes));
  std::vector<float> a = pack(p.a, p.m, p.k, false, p.compute), b = pack(p.b, p.n, p.k, true, p.compute);
  for (int j = 0; j < p.n; j++) {
    for (int i = 0; i < p.m; i++) {
      const float *row = &a[static_cast<size_t>(i) * p.k], *column = &b[static_cast<size_t>(j) * p.k];
      float sum = 0;
      for (int l = 0; l < p.k; l++) sum += row[l] * column[l];
      float &c = p.c[j * p.ldc + i];
      c = p.beta == 0 ? p.alpha * sum : p.alpha * sum + p.beta * c;
    }
  }
}

}  // namespace

API int cublasCreate_v2(Handle **handle) {
  cublasLtGetVersion();
  int status = planned("cublasCreate_v2");
  if (status == SUCCESS) *handle = new Handle{nullptr, nullptr, 0};
  return status;
}

API int cublasDestroy_v2(Handle *handle) {
  delete handle;
  return planned("cublasDestroy_v2");
}

API int cublasGetProperty(int property, int *value) {
  const int version[] = {CUBLAS_MAJOR, 98, 76};
  if (property < 0 || property > 2) return refuse(INVALID_VALUE, "there is no property %d", property);
  *value = version[property];
  return planned("cublasGetProperty");
}

API int cublasSetStream_v2(Handle *handle, void *stream) {
  *handle = Handle{stream, nullptr, 0};
  return planned("cublasSetStream_v2");
}

API int cublasSetWorkspace_v2(Handle *handle, void *workspace, size_t bytes) {
  if (reinterpret_cast<uintptr_t>(workspace) % 256 != 0) return refuse(INVALID_VALUE, "a workspace that is not aligned");
  handle->workspace = workspace;
  handle->workspaceBytes = bytes;
  return planned("cublasSetWorkspace_v2");
}

API int cublasGemmEx(Handle *handle, int transposeA, int transposeB, int m, int n, int k, const void *alpha,
                     const void *a, int typeA, int lda, const void *b, int typeB, int ldb, const void *beta, void *c,
                     int typeC, int ldc, int compute, int algorithm) {
  if (handle->workspace == nullptr) return refuse(NOT_INITIALIZED, "a product without a workspace");
  if (typeA != R_32F || typeB != R_32F || typeC != R_32F || algorithm != DEFAULT_ALGORITHM) {
    return refuse(INVALID_VALUE, "types %d, %d, %d or algorithm %d", typeA, typeB, typeC, algorithm);
  }
  if (compute != FP32 && compute != BF16 && compute != TF32) return refuse(INVALID_VALUE, "compute type %d", compute);
  if (m < 0 || n < 0 || k < 0 || lda < std::max(1, transposeA ? k : m) || ldb < std::max(1, transposeB ? n : k) ||
      ldc < std::max(1, m)) {
    return refuse(INVALID_VALUE, "m %d, n %d, k %d, lda %d, ldb %d, ldc %d", m, n, k, lda, ldb, ldc);
  }
  int status = planned("cublasGemmEx");
  if (status != SUCCESS) return status;
  Operand left{static_cast<const float *>(a), lda, transposeA != 0};
  Operand right{static_cast<const float *>(b), ldb, transposeB != 0};
  Product *product = new Product{m, n, k, *static_cast<const float *>(alpha), *static_cast<const float *>(beta),
                                 left, right, static_cast<float *>(c), ldc, compute, *handle};
  return cuLaunchHostFunc(handle->stream, run, product) == 0 ? SUCCESS : EXECUTION_FAILED;
}
