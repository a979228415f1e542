// The cuBLAS functions that CuPy's products call, as plain loops. Matrices are column-major, as there.

#include "counts.h"

#include <cuda_fp16.h>
#include <library_types.h>

#include <complex>
#include <cstdint>

namespace {

template <class T> T as_is(T x, bool) { return x; }
template <class R> std::complex<R> as_is(std::complex<R> x, bool conjugated) { return conjugated ? std::conj(x) : x; }

// C = alpha op(A) op(B) + beta C; `op`: 0 as it is, 1 transposed, 2 conjugated and transposed. Sums are kept in `Sum`.
template <class T, class Sum>
void product(int opa, int opb, int m, int n, int k, Sum alpha, const T* a, int lda, const T* b, int ldb, Sum beta, T* c, int ldc) {
    for (int j = 0; j < n; ++j)
        for (int i = 0; i < m; ++i) {
            Sum sum(0);
            for (int l = 0; l < k; ++l) {
                const Sum x = as_is(static_cast<Sum>(opa ? a[l + int64_t(i) * lda] : a[i + int64_t(l) * lda]), opa == 2);
                const Sum y = as_is(static_cast<Sum>(opb ? b[j + int64_t(l) * ldb] : b[l + int64_t(j) * ldb]), opb == 2);
                sum += x * y;
            }
            T& out = c[i + int64_t(j) * ldc];  // what is multiplied by a zero beta is not read: it may be NaN
            out = static_cast<T>(beta == Sum(0) ? alpha * sum : alpha * sum + beta * static_cast<Sum>(out));
        }
}

template <class T, class Factor>
void typed(int opa, int opb, int m, int n, int k, const void* alpha, const void* a, int lda, const void* b, int ldb,
           const void* beta, void* c, int ldc) {
    product<T, Factor>(opa, opb, m, n, k, *static_cast<const Factor*>(alpha), static_cast<const T*>(a), lda,
                       static_cast<const T*>(b), ldb, *static_cast<const Factor*>(beta), static_cast<T*>(c), ldc);
}

size_t size_of(int type) {
    return type == CUDA_R_16F ? 2 : type == CUDA_R_32F ? 4 : type == CUDA_C_64F ? 16 : 8;
}

int of_type(int type, int opa, int opb, int m, int n, int k, const void* alpha, const void* a, int lda, const void* b, int ldb,
            const void* beta, void* c, int ldc) {
    const Busy busy;
    switch (type) {
        case CUDA_R_16F: typed<__half, float>(opa, opb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc); return 0;
        case CUDA_R_32F: typed<float, float>(opa, opb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc); return 0;
        case CUDA_R_64F: typed<double, double>(opa, opb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc); return 0;
        case CUDA_C_32F:
            typed<std::complex<float>, std::complex<float>>(opa, opb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
            return 0;
        case CUDA_C_64F:
            typed<std::complex<double>, std::complex<double>>(opa, opb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
            return 0;
    }
    return 15;  // CUBLAS_STATUS_NOT_SUPPORTED
}

int math_mode = 0, pointer_mode = 0;

}  // namespace

extern "C" {

int cublasCreate_v2(void** handle) { *handle = &math_mode; return 0; }
int cublasDestroy_v2(void*) { return 0; }
int cublasGetVersion_v2(void*, int* version) { *version = 130000; return 0; }
int cublasSetStream_v2(void*, void*) { return 0; }
int cublasSetMathMode(void*, int mode) { math_mode = mode; return 0; }
int cublasGetMathMode(void*, int* mode) { *mode = math_mode; return 0; }
int cublasSetPointerMode_v2(void*, int mode) { pointer_mode = mode; return 0; }
int cublasGetPointerMode_v2(void*, int* mode) { *mode = pointer_mode; return 0; }

#define GEMM(letter, code)                                                                                                       \
    int cublas##letter##gemm_v2(void*, int opa, int opb, int m, int n, int k, const void* alpha, const void* a, int lda,         \
                                const void* b, int ldb, const void* beta, void* c, int ldc) {                                    \
        ++emulator_counts.products;                                                                                              \
        return of_type(code, opa, opb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);                                            \
    }                                                                                                                            \
    int cublas##letter##gemmBatched(void*, int opa, int opb, int m, int n, int k, const void* alpha, const void* const* a,       \
                                    int lda, const void* const* b, int ldb, const void* beta, void* const* c, int ldc,           \
                                    int count) {                                                                                 \
        ++emulator_counts.products;                                                                                              \
        for (int i = 0; i < count; ++i) of_type(code, opa, opb, m, n, k, alpha, a[i], lda, b[i], ldb, beta, c[i], ldc);          \
        return 0;                                                                                                                \
    }
GEMM(S, CUDA_R_32F)
GEMM(D, CUDA_R_64F)
GEMM(C, CUDA_C_32F)
GEMM(Z, CUDA_C_64F)

int cublasSgemmEx(void*, int opa, int opb, int m, int n, int k, const void* alpha, const void* a, int type, int lda, const void* b,
                  int, int ldb, const void* beta, void* c, int, int ldc) {
    ++emulator_counts.products;
    return of_type(type, opa, opb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
int cublasGemmEx(void*, int opa, int opb, int m, int n, int k, const void* alpha, const void* a, int type, int lda, const void* b,
                 int, int ldb, const void* beta, void* c, int, int ldc, int, int) {
    ++emulator_counts.products;
    return of_type(type, opa, opb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
int cublasGemmStridedBatchedEx(void*, int opa, int opb, int m, int n, int k, const void* alpha, const char* a, int type, int lda,
                               long long step_a, const char* b, int, int ldb, long long step_b, const void* beta, char* c, int,
                               int ldc, long long step_c, int count, int, int) {
    const long long size = size_of(type);
    int status = 0;
    ++emulator_counts.products;
    for (long long i = 0; i < count && !status; ++i)
        status = of_type(type, opa, opb, m, n, k, alpha, a + i * step_a * size, lda, b + i * step_b * size, ldb, beta,
                         c + i * step_c * size, ldc);
    return status;
}

}  // extern "C"
