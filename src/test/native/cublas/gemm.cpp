// C = alpha op(A) op(B) + beta C, column-major, plain and strided-batched, in float (also with TF32's rounding), in double, and
// in float with A and B in bfloat16.
//
// Each element of C is summed in the order of k, of a batch of several matrices in reverse order: the real cuBLAS may select other
// kernels for a batch than for one product, so that a matrix of a batch has other bits than the same product without a batch.
// beta = 0: C may contain anything before, including NaN.
#include "handle.h"
#include <algorithm>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vector>

namespace host_device {

// A matrix, or a batch of matrices.
template <class T> struct Matrices {
  T* data;
  long ld;
  long stride;
};

// A number in the format bfloat16: the upper half of a float.
struct Bfloat16 {
  uint16_t bits;
};

// In: the type of A and B. T: the type of C, alpha, beta, products and sums.
template <class In, class T> struct Gemm {
  const char* name;
  bool transpose_a, transpose_b;
  int m, n, k, batch;
  T alpha, beta;
  const T *device_alpha, *device_beta;   // instead, if not null
  Matrices<const In> a, b;
  Matrices<T> c;
  bool tf32;
  void* workspace;
  size_t workspace_bytes;
  char what[96];
};

static size_t elements(long rows, long columns, long ld, long stride, int batch) {
  return rows && columns && batch ? (size_t)(stride * (batch - 1) + ld * (columns - 1) + rows) : 0;
}

template <class In, class T> static size_t bytes_a(const Gemm<In, T>& g) {
  return sizeof(In) * elements(g.transpose_a ? g.k : g.m, g.transpose_a ? g.m : g.k, g.a.ld, g.a.stride, g.batch);
}
template <class In, class T> static size_t bytes_b(const Gemm<In, T>& g) {
  return sizeof(In) * elements(g.transpose_b ? g.n : g.k, g.transpose_b ? g.k : g.n, g.b.ld, g.b.stride, g.batch);
}
template <class In, class T> static size_t bytes_c(const Gemm<In, T>& g) {
  return sizeof(T) * elements(g.m, g.n, g.c.ld, g.c.stride, g.batch);
}

// Rounds to TF32, which has 10 fraction bits: to nearest, ties to even.
static float rounded(float x, bool tf32) {
  if (!tf32) {
    return x;
  }
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7f800000) != 0x7f800000) {
    bits += 0xfff + (bits >> 13 & 1);
    bits &= ~0x1fffu;
  }
  memcpy(&x, &bits, sizeof bits);
  return x;
}
static double rounded(double x, bool) { return x; }
// Products of two bfloat16 numbers are exact in float.
static float rounded(Bfloat16 x, bool) {
  uint32_t bits = (uint32_t)x.bits << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// Returns the index of the product that is added as number p.
template <class In, class T> static size_t added(const Gemm<In, T>& g, int p) { return g.batch > 1 ? g.k - 1 - p : p; }

// sums[i] = the i-th element of column j of op(A) op(B)
template <class In, class T> static void column(const Gemm<In, T>& g, const In* a, const In* b, int j, T* sums) {
  std::fill(sums, sums + g.m, T(0));
  const In* b_start = g.transpose_b ? b + j : b + (size_t)j * g.b.ld;
  size_t b_step = g.transpose_b ? g.b.ld : 1;
  if (g.transpose_a) {
    for (int i = 0; i < g.m; i++) {
      const In* row = a + (size_t)i * g.a.ld;
      T sum = 0;
      for (int n = 0; n < g.k; n++) {
        size_t p = added(g, n);
        sum += rounded(row[p], g.tf32) * rounded(b_start[p * b_step], g.tf32);
      }
      sums[i] = sum;
    }
    return;
  }
  for (int n = 0; n < g.k; n++) {
    size_t p = added(g, n);
    const In* of_a = a + p * g.a.ld;
    T y = rounded(b_start[p * b_step], g.tf32);
    for (int i = 0; i < g.m; i++) {
      sums[i] += rounded(of_a[i], g.tf32) * y;
    }
  }
}

// Returns whether the padding of an input's columns was written, as far as cuBLAS's loads of 16 bytes may reach; reports it if not.
// The values have no effect. Fresh memory is filled with one bits.
static bool padding_is_written(const Matrices<const Bfloat16>& matrices, long rows, long columns, int batch, const char* input,
                               const char* what) {
  enum { NUMBERS = 16 / sizeof(Bfloat16) };
  long end = std::min((rows + NUMBERS - 1) / NUMBERS * NUMBERS, matrices.ld);
  for (int r = 0; r < batch; r++) {
    for (long j = 0; j + 1 < columns; j++) {
      const Bfloat16* column = matrices.data + matrices.stride * r + matrices.ld * j;
      for (long i = rows; i < end; i++) {
        if (column[i].bits == 0xffff) {
          host_device_report("%s: nothing was written to the padding of %s after row %ld of column %ld", what, input, rows, j);
          return false;
        }
      }
    }
  }
  return true;
}
template <class T> static bool padding_is_written(const Gemm<Bfloat16, T>& g) {
  return padding_is_written(g.a, g.transpose_a ? g.k : g.m, g.transpose_a ? g.m : g.k, g.batch, "A", g.what)
         && padding_is_written(g.b, g.transpose_b ? g.n : g.k, g.transpose_b ? g.k : g.n, g.batch, "B", g.what);
}
template <class T> static bool padding_is_written(const Gemm<T, T>&) { return true; }

// The real cuBLAS may write anything into its workspace: this makes overlapping slices visible.
template <class In, class T> static void scribble(const Gemm<In, T>& g) {
  size_t edge = std::min<size_t>(g.workspace_bytes, 256);
  memset(g.workspace, 0xff, edge);
  memset((char*)g.workspace + g.workspace_bytes - edge, 0xff, edge);
}

template <class In, class T> static int run(void* argument) {
  enum { ILLEGAL_ADDRESS = 700 };
  const Gemm<In, T>& g = *(const Gemm<In, T>*)argument;
  host_device_gemm_ran();
  T alpha = g.alpha, beta = g.beta;
  if (g.workspace_bytes) {
    if (!host_device_in_range(g.workspace, g.workspace_bytes, "cuBLAS workspace")) {
      return ILLEGAL_ADDRESS;
    }
    scribble(g);
  }
  if (g.device_alpha) {
    if (!host_device_in_range(g.device_alpha, sizeof(T), g.what)
        || !host_device_in_range(g.device_beta, sizeof(T), g.what)) {
      return ILLEGAL_ADDRESS;
    }
    alpha = *g.device_alpha;
    beta = *g.device_beta;
  }
  bool inputs = alpha == 0
                || (host_device_in_range(g.a.data, bytes_a(g), g.what)
                    && host_device_in_range(g.b.data, bytes_b(g), g.what) && padding_is_written(g));
  if (!inputs || !host_device_in_range(g.c.data, bytes_c(g), g.what)) {
    return ILLEGAL_ADDRESS;
  }
  static std::vector<T> sums;   // there is one device thread
  sums.resize(std::max<size_t>(sums.size(), g.m));
  for (int r = 0; r < g.batch; r++) {
    for (int j = 0; j < g.n; j++) {
      if (alpha != 0) {
        column(g, g.a.data + g.a.stride * r, g.b.data + g.b.stride * r, j, sums.data());
      } else {
        std::fill(sums.begin(), sums.begin() + g.m, T(0));
      }
      T* c = g.c.data + g.c.stride * r + (size_t)j * g.c.ld;
      for (int i = 0; i < g.m; i++) {
        c[i] = beta == 0 ? alpha * sums[i] : alpha * sums[i] + beta * c[i];
      }
    }
  }
  return 0;
}

// Returns whether two matrices of the batch share an element of C. Adjacent column blocks of one wide matrix do not.
template <class In, class T> static bool outputs_overlap(const Gemm<In, T>& g) {
  for (int r = 1; r < g.batch; r++) {
    long distance = g.c.stride * r, columns = distance / g.c.ld, rows = distance % g.c.ld;
    if ((columns < g.n && rows < g.m) || (columns + 1 < g.n && g.c.ld - rows < g.m)) {
      return true;
    }
  }
  return false;
}

static bool intersect(const void* a, size_t a_bytes, const void* b, size_t b_bytes) {
  return (const char*)a < (const char*)b + b_bytes && (const char*)b < (const char*)a + a_bytes;
}

// Returns why tensor cores could not read bfloat16 inputs 16 bytes at a time, or null. The real cuBLAS takes such inputs, with
// slower kernels.
template <class T> static const char* off_fast_path(const Gemm<Bfloat16, T>& g) {
  enum { BYTES = 16, NUMBERS = BYTES / sizeof(Bfloat16) };
  if (g.a.ld % NUMBERS || g.b.ld % NUMBERS) {
    return "an input's leading dimension that is not a multiple of 8";
  }
  if (g.a.stride % NUMBERS || g.b.stride % NUMBERS) {
    return "an input's stride that is not a multiple of 8";
  }
  if ((uintptr_t)g.a.data % BYTES || (uintptr_t)g.b.data % BYTES) {
    return "an input's address that is not a multiple of 16";
  }
  return nullptr;
}
template <class T> static const char* off_fast_path(const Gemm<T, T>&) { return nullptr; }

// Returns the error in the arguments, or null.
template <class In, class T> static const char* fault(const Gemm<In, T>& g) {
  if (g.m < 0 || g.n < 0 || g.k < 0 || g.batch < 0) {
    return "a negative size";
  }
  if (g.a.ld < std::max(1, g.transpose_a ? g.k : g.m) || g.b.ld < std::max(1, g.transpose_b ? g.n : g.k)
      || g.c.ld < std::max(1, g.m)) {
    return "a leading dimension that is less than the rows";
  }
  if (g.a.stride < 0 || g.b.stride < 0 || g.c.stride < 0) {
    return "a negative stride";
  }
  if (outputs_overlap(g)) {
    return "outputs that overlap";
  }
  if (intersect(g.c.data, bytes_c(g), g.a.data, bytes_a(g)) || intersect(g.c.data, bytes_c(g), g.b.data, bytes_b(g))) {
    return "an output that overlaps an input";
  }
  return off_fast_path(g);
}

template <class In, class T>
static Status enqueue(void* handle, Gemm<In, T> g, int op_a, int op_b, const T* alpha, const T* beta) {
  Handle* h = handle_of(handle);
  if (!h) {
    return NOT_INITIALIZED;
  }
  if (int result = host_device_enter()) {
    return from_driver(result);
  }
  if (host_device_gemm_strikes()) {
    return EXECUTION_FAILED;
  }
  g.transpose_a = op_a != 0;
  g.transpose_b = op_b != 0;
  const char* wrong = op_a < 0 || op_a > 2 || op_b < 0 || op_b > 2 ? "an unknown operation" : fault(g);
  if (!wrong && (!alpha || !beta || host_device_is_device_address(alpha) != h->device_scalars
                 || host_device_is_device_address(beta) != h->device_scalars)) {
    wrong = "alpha or beta where the pointer mode does not look for it";
  }
  if (wrong) {
    host_device_report("%s: %s: op %d,%d m %d n %d k %d A %p B %p C %p lda %ld ldb %ld ldc %ld strides %ld,%ld,%ld batch %d",
                       g.name, wrong, op_a, op_b, g.m, g.n, g.k, g.a.data, g.b.data, g.c.data, g.a.ld, g.b.ld, g.c.ld,
                       g.a.stride, g.b.stride, g.c.stride, g.batch);
    return INVALID_VALUE;
  }
  if (!h->own_workspace && host_device_captures(h->stream)) {
    host_device_report("%s in a capture without cublasSetWorkspace after cublasSetStream: "
                       "the graph would use memory of cuBLAS's own", g.name);
    return NOT_SUPPORTED;
  }
  if (!g.m || !g.n || !g.batch) {
    return SUCCESS;
  }
  g.tf32 = h->math == TF32_MATH;
  g.workspace = h->workspace;
  g.workspace_bytes = h->own_workspace ? h->workspace_bytes : 0;
  g.device_alpha = h->device_scalars ? alpha : nullptr;
  g.device_beta = h->device_scalars ? beta : nullptr;
  g.alpha = h->device_scalars ? 0 : *alpha;
  g.beta = h->device_scalars ? 0 : *beta;
  snprintf(g.what, sizeof g.what, "%s(m=%d n=%d k=%d batch=%d)", g.name, g.m, g.n, g.k, g.batch);
  auto* kept = new Gemm<In, T>(g);
  return from_driver(host_device_enqueue(h->stream, kept->what, run<In, T>, kept, [](void* p) { delete (Gemm<In, T>*)p; }));
}

template <class In, class T>
static Status multiply(const char* name, void* handle, int op_a, int op_b, int m, int n, int k, const T* alpha,
                       Matrices<const In> a, Matrices<const In> b, const T* beta, Matrices<T> c, int batch) {
  Gemm<In, T> g{};
  g.name = name;
  g.m = m;
  g.n = n;
  g.k = k;
  g.batch = batch;
  g.a = a;
  g.b = b;
  g.c = c;
  return enqueue(handle, g, op_a, op_b, alpha, beta);
}

// The types and the algorithm of a GemmEx.
struct Precision {
  int a, b, c, compute, algorithm;
};

// Returns whether the host device has such products, and otherwise reports the argument that it does not know.
static bool is_known(const char* name, const Precision& precision) {
  enum { R_32F = 0, R_16BF = 14, COMPUTE_32F = 68, GEMM_DEFAULT = -1 };
  const struct {
    const char* argument;
    int value, known;
    const char* known_name;
  } arguments[] = {
      {"Atype", precision.a, R_16BF, "CUDA_R_16BF"},
      {"Btype", precision.b, R_16BF, "CUDA_R_16BF"},
      {"Ctype", precision.c, R_32F, "CUDA_R_32F"},
      {"computeType", precision.compute, COMPUTE_32F, "CUBLAS_COMPUTE_32F"},
      {"algo", precision.algorithm, GEMM_DEFAULT, "CUBLAS_GEMM_DEFAULT"},
  };
  for (auto& given : arguments) {
    if (given.value != given.known) {
      host_device_report("%s: %s is %d; the host device knows only %s, %d", name, given.argument, given.value, given.known_name,
                         given.known);
      return false;
    }
  }
  return true;
}

static Status multiply_mixed(const char* name, void* handle, int op_a, int op_b, int m, int n, int k, const void* alpha,
                             Matrices<const void> a, Matrices<const void> b, const void* beta, Matrices<void> c, int batch,
                             const Precision& precision) {
  return is_known(name, precision)
             ? multiply<Bfloat16, float>(name, handle, op_a, op_b, m, n, k, (const float*)alpha,
                                         {(const Bfloat16*)a.data, a.ld, a.stride}, {(const Bfloat16*)b.data, b.ld, b.stride},
                                         (const float*)beta, {(float*)c.data, c.ld, c.stride}, batch)
             : NOT_SUPPORTED;
}

}  // namespace host_device

using namespace host_device;

#define DEFINE_GEMM(T, letter) \
  EXPORTED Status cublas##letter##gemm_v2(void* handle, int op_a, int op_b, int m, int n, int k, const T* alpha, \
                                          const T* a, int lda, const T* b, int ldb, const T* beta, T* c, int ldc) { \
    return multiply<T, T>("cublas" #letter "gemm", handle, op_a, op_b, m, n, k, alpha, {a, lda, 0}, {b, ldb, 0}, beta, \
                          {c, ldc, 0}, 1); \
  } \
  EXPORTED Status cublas##letter##gemmStridedBatched( \
      void* handle, int op_a, int op_b, int m, int n, int k, const T* alpha, const T* a, int lda, long long stride_a, \
      const T* b, int ldb, long long stride_b, const T* beta, T* c, int ldc, long long stride_c, int batch) { \
    return multiply<T, T>("cublas" #letter "gemmStridedBatched", handle, op_a, op_b, m, n, k, alpha, \
                          {a, lda, (long)stride_a}, {b, ldb, (long)stride_b}, beta, {c, ldc, (long)stride_c}, batch); \
  }

DEFINE_GEMM(float, S)
DEFINE_GEMM(double, D)

EXPORTED Status cublasGemmEx(void* handle, int op_a, int op_b, int m, int n, int k, const void* alpha, const void* a, int type_a,
                             int lda, const void* b, int type_b, int ldb, const void* beta, void* c, int type_c, int ldc,
                             int compute, int algorithm) {
  return multiply_mixed("cublasGemmEx", handle, op_a, op_b, m, n, k, alpha, {a, lda, 0}, {b, ldb, 0}, beta, {c, ldc, 0}, 1,
                        {type_a, type_b, type_c, compute, algorithm});
}

EXPORTED Status cublasGemmStridedBatchedEx(void* handle, int op_a, int op_b, int m, int n, int k, const void* alpha,
                                           const void* a, int type_a, int lda, long long stride_a, const void* b, int type_b,
                                           int ldb, long long stride_b, const void* beta, void* c, int type_c, int ldc,
                                           long long stride_c, int batch, int compute, int algorithm) {
  return multiply_mixed("cublasGemmStridedBatchedEx", handle, op_a, op_b, m, n, k, alpha, {a, lda, (long)stride_a},
                        {b, ldb, (long)stride_b}, beta, {c, ldc, (long)stride_c}, batch,
                        {type_a, type_b, type_c, compute, algorithm});
}
