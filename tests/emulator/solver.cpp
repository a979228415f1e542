// The cuSOLVER functions, and the factorisations of cuBLAS, that CuPy's linear algebra calls, by LAPACK.
//
// Workspaces that the caller passes are not used. Where a function of LAPACK has another form for complex numbers, a template
// says which.

#include <library_types.h>

#include <algorithm>
#include <complex>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

using C = std::complex<float>;
using Z = std::complex<double>;
template <class T> struct Real { using type = T; };
template <class T> struct Real<std::complex<T>> { using type = T; };

}  // namespace

#define DECLARE(l, T, R, orthogonal, symmetric)                                                                                  \
    extern "C" void l##getrf_(int*, int*, T*, int*, int*, int*);                                                                 \
    extern "C" void l##getrs_(char*, int*, int*, const T*, int*, const int*, T*, int*, int*);                                    \
    extern "C" void l##getri_(int*, T*, int*, const int*, T*, int*, int*);                                                       \
    extern "C" void l##potrf_(char*, int*, T*, int*, int*);                                                                      \
    extern "C" void l##potrs_(char*, int*, int*, const T*, int*, T*, int*, int*);                                                \
    extern "C" void l##geqrf_(int*, int*, T*, int*, T*, T*, int*, int*);                                                         \
    extern "C" void l##orthogonal##gqr_(int*, int*, int*, T*, int*, const T*, T*, int*, int*);                                   \
    namespace {                                                                                                                  \
    void getrf(int m, int n, T* a, int lda, int* pivots, int* info) { l##getrf_(&m, &n, a, &lda, pivots, info); }                \
    void getrs(char t, int n, int k, const T* a, int lda, const int* pivots, T* b, int ldb, int* info) {                         \
        l##getrs_(&t, &n, &k, a, &lda, pivots, b, &ldb, info);                                                                   \
    }                                                                                                                            \
    void getri(int n, T* a, int lda, const int* pivots, int* info) {                                                             \
        int size = std::max(1, n * n);                                                                                           \
        std::vector<T> work(size);                                                                                               \
        l##getri_(&n, a, &lda, pivots, work.data(), &size, info);                                                                \
    }                                                                                                                            \
    void potrf(char uplo, int n, T* a, int lda, int* info) { l##potrf_(&uplo, &n, a, &lda, info); }                              \
    void potrs(char uplo, int n, int k, const T* a, int lda, T* b, int ldb, int* info) {                                         \
        l##potrs_(&uplo, &n, &k, a, &lda, b, &ldb, info);                                                                        \
    }                                                                                                                            \
    void geqrf(int m, int n, T* a, int lda, T* tau, int* info) {                                                                 \
        int size = std::max(1, 64 * n);                                                                                          \
        std::vector<T> work(size);                                                                                               \
        l##geqrf_(&m, &n, a, &lda, tau, work.data(), &size, info);                                                               \
    }                                                                                                                            \
    void orgqr(int m, int n, int k, T* a, int lda, const T* tau, int* info) {                                                    \
        int size = std::max(1, 64 * n);                                                                                          \
        std::vector<T> work(size);                                                                                               \
        l##orthogonal##gqr_(&m, &n, &k, a, &lda, tau, work.data(), &size, info);                                                 \
    }                                                                                                                            \
    }
DECLARE(s, float, float, or, sy)
DECLARE(d, double, double, or, sy)
DECLARE(c, C, float, un, he)
DECLARE(z, Z, double, un, he)

// What has other arguments for complex numbers.
extern "C" void sgesvd_(char*, char*, int*, int*, float*, int*, float*, float*, int*, float*, int*, float*, int*, int*);
extern "C" void dgesvd_(char*, char*, int*, int*, double*, int*, double*, double*, int*, double*, int*, double*, int*, int*);
extern "C" void cgesvd_(char*, char*, int*, int*, C*, int*, float*, C*, int*, C*, int*, C*, int*, float*, int*);
extern "C" void zgesvd_(char*, char*, int*, int*, Z*, int*, double*, Z*, int*, Z*, int*, Z*, int*, double*, int*);
extern "C" void ssyev_(char*, char*, int*, float*, int*, float*, float*, int*, int*);
extern "C" void dsyev_(char*, char*, int*, double*, int*, double*, double*, int*, int*);
extern "C" void cheev_(char*, char*, int*, C*, int*, float*, C*, int*, float*, int*);
extern "C" void zheev_(char*, char*, int*, Z*, int*, double*, Z*, int*, double*, int*);
extern "C" void sgeev_(char*, char*, int*, float*, int*, float*, float*, float*, int*, float*, int*, float*, int*, int*);
extern "C" void dgeev_(char*, char*, int*, double*, int*, double*, double*, double*, int*, double*, int*, double*, int*, int*);
extern "C" void cgeev_(char*, char*, int*, C*, int*, C*, C*, int*, C*, int*, C*, int*, float*, int*);
extern "C" void zgeev_(char*, char*, int*, Z*, int*, Z*, Z*, int*, Z*, int*, Z*, int*, double*, int*);

namespace {

#define DECOMPOSE_REAL(l, T)                                                                                                     \
    void gesvd(char u, char v, int m, int n, T* a, int lda, T* s, T* us, int ldu, T* vs, int ldv, int* info) {                   \
        int size = 64 * (m + n) + 1;                                                                                             \
        std::vector<T> work(size);                                                                                               \
        l##gesvd_(&u, &v, &m, &n, a, &lda, s, us, &ldu, vs, &ldv, work.data(), &size, info);                                     \
    }                                                                                                                            \
    void eigh(char job, char uplo, int n, T* a, int lda, T* w, int* info) {                                                      \
        int size = 64 * n + 1;                                                                                                   \
        std::vector<T> work(size);                                                                                               \
        l##syev_(&job, &uplo, &n, a, &lda, w, work.data(), &size, info);                                                         \
    }                                                                                                                            \
    void eig(char job, int n, T* a, int lda, std::complex<T>* w, T* v, int ldv, int* info) {                                     \
        int size = 64 * n + 1;                                                                                                   \
        std::vector<T> work(size), re(n), im(n);                                                                                 \
        char none = 'N';                                                                                                         \
        l##geev_(&none, &job, &n, a, &lda, re.data(), im.data(), nullptr, &ldv, v, &ldv, work.data(), &size, info);              \
        for (int k = 0; k < n; ++k) w[k] = {re[k], im[k]};                                                                       \
    }
#define DECOMPOSE_COMPLEX(l, T, R)                                                                                               \
    void gesvd(char u, char v, int m, int n, T* a, int lda, R* s, T* us, int ldu, T* vs, int ldv, int* info) {                   \
        int size = 64 * (m + n) + 1;                                                                                             \
        std::vector<T> work(size);                                                                                               \
        std::vector<R> real(5 * std::min(m, n) + 1);                                                                             \
        l##gesvd_(&u, &v, &m, &n, a, &lda, s, us, &ldu, vs, &ldv, work.data(), &size, real.data(), info);                        \
    }                                                                                                                            \
    void eigh(char job, char uplo, int n, T* a, int lda, R* w, int* info) {                                                      \
        int size = 64 * n + 1;                                                                                                   \
        std::vector<T> work(size);                                                                                               \
        std::vector<R> real(3 * n + 1);                                                                                          \
        l##heev_(&job, &uplo, &n, a, &lda, w, work.data(), &size, real.data(), info);                                            \
    }                                                                                                                            \
    void eig(char job, int n, T* a, int lda, T* w, T* v, int ldv, int* info) {                                                   \
        int size = 64 * n + 1;                                                                                                   \
        std::vector<T> work(size);                                                                                               \
        std::vector<R> real(2 * n + 1);                                                                                          \
        char none = 'N';                                                                                                         \
        l##geev_(&none, &job, &n, a, &lda, w, nullptr, &ldv, v, &ldv, work.data(), &size, real.data(), info);                    \
    }
DECOMPOSE_REAL(s, float)
DECOMPOSE_REAL(d, double)
DECOMPOSE_COMPLEX(c, C, float)
DECOMPOSE_COMPLEX(z, Z, double)

char side(int uplo) { return uplo ? 'U' : 'L'; }
char vectors(int job) { return job ? 'V' : 'N'; }
char operation(int trans) { return "NTC"[trans]; }

// The "j" functions give V, not its conjugate transpose, and destroy nothing that the caller may not expect.
template <class T>
void gesvdj(int job, bool economic, int m, int n, T* a, int lda, typename Real<T>::type* s, T* u, int ldu, T* v, int ldv, int* info) {
    const int rows = economic ? std::min(m, n) : n;
    std::vector<T> vh(std::max(1, rows * n));
    const char wanted = !job ? 'N' : economic ? 'S' : 'A';
    gesvd(wanted, wanted, m, n, a, lda, s, u, std::max(1, ldu), vh.data(), std::max(1, rows), info);
    if (!job) return;
    for (int i = 0; i < rows; ++i)
        for (int j = 0; j < n; ++j) {
            if constexpr (std::is_same_v<T, typename Real<T>::type>) v[j + int64_t(i) * ldv] = vh[i + j * rows];
            else v[j + int64_t(i) * ldv] = std::conj(vh[i + j * rows]);
        }
}

}  // namespace

extern "C" {

int cusolverDnCreate(void** handle) { *handle = handle; return 0; }
int cusolverDnDestroy(void*) { return 0; }
int cusolverDnSetStream(void*, void*) { return 0; }
int cusolverDnCreateParams(void** params) { *params = params; return 0; }
int cusolverDnDestroyParams(void*) { return 0; }
int cusolverDnCreateGesvdjInfo(void** info) { *info = info; return 0; }
int cusolverDnDestroyGesvdjInfo(void*) { return 0; }
int cusolverDnCreateSyevjInfo(void** info) { *info = info; return 0; }
int cusolverDnDestroySyevjInfo(void*) { return 0; }
int cusolverGetProperty(int which, int* value) { *value = which ? 0 : 12; return 0; }

#define SOLVER(L, T, R, Q, EIGH, EIGHJ)                                                                                          \
    int cusolverDn##L##getrf_bufferSize(void*, int, int, T*, int, int* size) { *size = 1; return 0; }                            \
    int cusolverDn##L##getrf(void*, int m, int n, T* a, int lda, T*, int* pivots, int* info) {                                   \
        getrf(m, n, a, lda, pivots, info);                                                                                       \
        return 0;                                                                                                                \
    }                                                                                                                            \
    int cusolverDn##L##getrs(void*, int trans, int n, int k, const T* a, int lda, const int* pivots, T* b, int ldb, int* info) { \
        getrs(operation(trans), n, k, a, lda, pivots, b, ldb, info);                                                             \
        return 0;                                                                                                                \
    }                                                                                                                            \
    int cusolverDn##L##potrf_bufferSize(void*, int, int, T*, int, int* size) { *size = 1; return 0; }                            \
    int cusolverDn##L##potrf(void*, int uplo, int n, T* a, int lda, T*, int, int* info) {                                        \
        potrf(side(uplo), n, a, lda, info);                                                                                      \
        return 0;                                                                                                                \
    }                                                                                                                            \
    int cusolverDn##L##potrfBatched(void*, int uplo, int n, T** a, int lda, int* info, int count) {                              \
        for (int k = 0; k < count; ++k) potrf(side(uplo), n, a[k], lda, info + k);                                               \
        return 0;                                                                                                                \
    }                                                                                                                            \
    int cusolverDn##L##potrsBatched(void*, int uplo, int n, int k, T** a, int lda, T** b, int ldb, int* info, int count) {       \
        for (int i = 0; i < count; ++i) potrs(side(uplo), n, k, a[i], lda, b[i], ldb, info);                                     \
        return 0;                                                                                                                \
    }                                                                                                                            \
    int cusolverDn##L##geqrf_bufferSize(void*, int, int, T*, int, int* size) { *size = 1; return 0; }                            \
    int cusolverDn##L##geqrf(void*, int m, int n, T* a, int lda, T* tau, T*, int, int* info) {                                   \
        geqrf(m, n, a, lda, tau, info);                                                                                          \
        return 0;                                                                                                                \
    }                                                                                                                            \
    int cusolverDn##L##Q##_bufferSize(void*, int, int, int, const T*, int, const T*, int* size) { *size = 1; return 0; }         \
    int cusolverDn##L##Q(void*, int m, int n, int k, T* a, int lda, const T* tau, T*, int, int* info) {                          \
        orgqr(m, n, k, a, lda, tau, info);                                                                                       \
        return 0;                                                                                                                \
    }                                                                                                                            \
    int cusolverDn##L##gesvd_bufferSize(void*, int, int, int* size) { *size = 1; return 0; }                                     \
    int cusolverDn##L##gesvd(void*, signed char u, signed char v, int m, int n, T* a, int lda, R* s, T* us, int ldu, T* vs,      \
                             int ldv, T*, int, R*, int* info) {                                                                  \
        if (m < n) return 3; /* as cuSOLVER: CUSOLVER_STATUS_INVALID_VALUE */                                                    \
        gesvd(u, v, m, n, a, lda, s, us, std::max(1, ldu), vs, std::max(1, ldv), info);                                          \
        return 0;                                                                                                                \
    }                                                                                                                            \
    int cusolverDn##L##gesvdj_bufferSize(void*, int, int, int, int, const T*, int, const R*, const T*, int, const T*, int,       \
                                         int* size, void*) {                                                                     \
        *size = 1;                                                                                                               \
        return 0;                                                                                                                \
    }                                                                                                                            \
    int cusolverDn##L##gesvdj(void*, int job, int economic, int m, int n, T* a, int lda, R* s, T* u, int ldu, T* v, int ldv,     \
                              T*, int, int* info, void*) {                                                                       \
        gesvdj(job, economic, m, n, a, lda, s, u, ldu, v, ldv, info);                                                            \
        return 0;                                                                                                                \
    }                                                                                                                            \
    int cusolverDn##L##gesvdjBatched_bufferSize(void*, int, int, int, const T*, int, const R*, const T*, int, const T*, int,     \
                                                int* size, void*, int) {                                                         \
        *size = 1;                                                                                                               \
        return 0;                                                                                                                \
    }                                                                                                                            \
    int cusolverDn##L##gesvdjBatched(void*, int job, int m, int n, T* a, int lda, R* s, T* u, int ldu, T* v, int ldv, T*, int,   \
                                     int* info, void*, int count) {                                                              \
        const int64_t k = std::min(m, n);                                                                                        \
        for (int i = 0; i < count; ++i)                                                                                          \
            gesvdj(job, false, m, n, a + int64_t(i) * lda * n, lda, s + i * k, u + int64_t(i) * ldu * m, ldu,                    \
                   v + int64_t(i) * ldv * n, ldv, info + i);                                                                     \
        return 0;                                                                                                                \
    }                                                                                                                            \
    int cusolverDn##L##EIGHJ##_bufferSize(void*, int, int, int, const T*, int, const R*, int* size, void*) {                     \
        *size = 1;                                                                                                               \
        return 0;                                                                                                                \
    }                                                                                                                            \
    int cusolverDn##L##EIGHJ(void*, int job, int uplo, int n, T* a, int lda, R* w, T*, int, int* info, void*) {                  \
        eigh(vectors(job), side(uplo), n, a, lda, w, info);                                                                      \
        return 0;                                                                                                                \
    }                                                                                                                            \
    int cusolverDn##L##EIGHJ##Batched_bufferSize(void*, int, int, int, const T*, int, const R*, int* size, void*, int) {         \
        *size = 1;                                                                                                               \
        return 0;                                                                                                                \
    }                                                                                                                            \
    int cusolverDn##L##EIGHJ##Batched(void*, int job, int uplo, int n, T* a, int lda, R* w, T*, int, int* info, void*,           \
                                      int count) {                                                                               \
        for (int i = 0; i < count; ++i)                                                                                          \
            eigh(vectors(job), side(uplo), n, a + int64_t(i) * lda * n, lda, w + int64_t(i) * n, info + i);                      \
        return 0;                                                                                                                \
    }                                                                                                                            \
    int cublas##L##getrfBatched(void*, int n, T* const* a, int lda, int* pivots, int* info, int count) {                         \
        std::vector<int> own(n);                                                                                                 \
        for (int i = 0; i < count; ++i) getrf(n, n, a[i], lda, pivots ? pivots + i * n : own.data(), info + i);                  \
        return 0;                                                                                                                \
    }                                                                                                                            \
    int cublas##L##getriBatched(void*, int n, const T* const* a, int lda, const int* pivots, T* const* c, int ldc, int* info,    \
                                int count) {                                                                                     \
        for (int i = 0; i < count; ++i) {                                                                                        \
            for (int j = 0; j < n; ++j) std::copy(a[i] + int64_t(j) * lda, a[i] + int64_t(j) * lda + n, c[i] + int64_t(j) * ldc);\
            getri(n, c[i], ldc, pivots + i * n, info + i);                                                                       \
        }                                                                                                                        \
        return 0;                                                                                                                \
    }                                                                                                                            \
    int cublas##L##getrsBatched(void*, int trans, int n, int k, const T* const* a, int lda, const int* pivots, T* const* b,      \
                                int ldb, int* info, int count) {                                                                 \
        for (int i = 0; i < count; ++i) getrs(operation(trans), n, k, a[i], lda, pivots + i * n, b[i], ldb, info);               \
        return 0;                                                                                                                \
    }
SOLVER(S, float, float, orgqr, syevd, syevj)
SOLVER(D, double, double, orgqr, syevd, syevj)
SOLVER(C, C, float, ungqr, heevd, heevj)
SOLVER(Z, Z, double, ungqr, heevd, heevj)

int cusolverDnXsyevd_bufferSize(void*, void*, int, int, int64_t, int, const void*, int64_t, int, const void*, int, size_t* there,
                                size_t* here) {
    *there = *here = 1;
    return 0;
}
int cusolverDnXsyevd(void*, void*, int job, int uplo, int64_t n, int type, void* a, int64_t lda, int, void* w, int, void*, size_t,
                     void*, size_t, int* info) {
    const char v = vectors(job), s = side(uplo);
    switch (type) {
        case CUDA_R_32F: eigh(v, s, n, static_cast<float*>(a), lda, static_cast<float*>(w), info); return 0;
        case CUDA_R_64F: eigh(v, s, n, static_cast<double*>(a), lda, static_cast<double*>(w), info); return 0;
        case CUDA_C_32F: eigh(v, s, n, static_cast<C*>(a), lda, static_cast<float*>(w), info); return 0;
        case CUDA_C_64F: eigh(v, s, n, static_cast<Z*>(a), lda, static_cast<double*>(w), info); return 0;
    }
    return 3;
}
int cusolverDnXgeev_bufferSize(void*, void*, int, int, int64_t, int, const void*, int64_t, int, const void*, int, const void*,
                               int64_t, int, const void*, int64_t, int, size_t* there, size_t* here) {
    *there = *here = 1;
    return 0;
}
int cusolverDnXgeev(void*, void*, int, int job, int64_t n, int type, void* a, int64_t lda, int, void* w, int, void*, int64_t, int,
                    void* v, int64_t ldv, int, void*, size_t, void*, size_t, int* info) {
    switch (type) {
        case CUDA_R_32F: eig(vectors(job), n, static_cast<float*>(a), lda, static_cast<C*>(w), static_cast<float*>(v), ldv, info); return 0;
        case CUDA_R_64F: eig(vectors(job), n, static_cast<double*>(a), lda, static_cast<Z*>(w), static_cast<double*>(v), ldv, info); return 0;
        case CUDA_C_32F: eig(vectors(job), n, static_cast<C*>(a), lda, static_cast<C*>(w), static_cast<C*>(v), ldv, info); return 0;
        case CUDA_C_64F: eig(vectors(job), n, static_cast<Z*>(a), lda, static_cast<Z*>(w), static_cast<Z*>(v), ldv, info); return 0;
    }
    return 3;
}

}  // extern "C"
