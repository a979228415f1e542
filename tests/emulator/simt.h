// CUDA C++ as C++: what kernels' sources need to be compiled for, and run on, this machine's processor.
//
// The threads of a block run one after the other, each from its start to its end. A kernel whose threads wait for each other
// (EMULATOR_WAITS) runs them as contexts of their own that are switched at every wait, until all have come there.

#pragma once
#include <algorithm>
#include <cassert>
#include <climits>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include <math.h>
#include <ucontext.h>

#define __CUDACC_VER_MAJOR__ 13
#define __CUDACC_VER_MINOR__ 0
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <vector_functions.h>
#include <vector_types.h>
#define __CUDA_ARCH__ 900  // after the headers above: they hold assembly for it

#undef __noinline__
#undef __forceinline__
#undef __launch_bounds__
#undef __shared__
#undef __constant__
#define __noinline__ __attribute__((noinline))
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static
#define __constant__ extern "C" inline
#define __restrict__

namespace emulator {

struct Launch {
    dim3 grid, block;
    size_t shared;
};

struct Coroutine {
    ucontext_t context;
    enum { RUNS, WAITS_FOR_WARP, WAITS_FOR_BLOCK, DONE } state;
    dim3 index;
};

inline dim3 thread, block, threads, blocks;  // read by kernels as threadIdx, blockIdx, blockDim, gridDim
inline char* dynamic_shared;
inline std::vector<Coroutine> coroutines;
inline std::vector<char> stacks;
inline ucontext_t scheduler;
inline unsigned running;
inline unsigned long long exchanged[1024];
inline void (*body)(void*);
inline void* body_arguments;
constexpr size_t STACK = 1 << 16;

inline void wait(decltype(Coroutine::state) what) {
    Coroutine& self = coroutines[running];
    self.state = what;
    swapcontext(&self.context, &scheduler);
}

inline void run_one() {
    body(body_arguments);
    coroutines[running].state = Coroutine::DONE;
}

// Lets the coroutines from `begin` to `end` go on if all of them that are not done wait for `what`.
inline bool release(unsigned begin, unsigned end, decltype(Coroutine::state) what) {
    bool any = false;
    for (unsigned k = begin; k < end; ++k) {
        if (coroutines[k].state == Coroutine::DONE) continue;
        if (coroutines[k].state != what) return false;
        any = true;
    }
    for (unsigned k = begin; any && k < end; ++k)
        if (coroutines[k].state == what) coroutines[k].state = Coroutine::RUNS;
    return any;
}

inline void run_block_that_waits() {
    const unsigned n = threads.x * threads.y * threads.z;
    coroutines.resize(n);
    stacks.resize(n * STACK);
    for (unsigned k = 0; k < n; ++k) {
        Coroutine& c = coroutines[k];
        getcontext(&c.context);
        c.context.uc_stack.ss_sp = stacks.data() + k * STACK;
        c.context.uc_stack.ss_size = STACK;
        c.context.uc_link = &scheduler;
        makecontext(&c.context, run_one, 0);
        c.state = Coroutine::RUNS;
        c.index = dim3(k % threads.x, k / threads.x % threads.y, k / threads.x / threads.y);
    }
    for (bool moved = true; moved;) {
        moved = false;
        for (unsigned k = 0; k < n; ++k) {
            if (coroutines[k].state != Coroutine::RUNS) continue;
            running = k;
            thread = coroutines[k].index;
            swapcontext(&scheduler, &coroutines[k].context);
            moved = true;
        }
        for (unsigned k = 0; k < n; k += 32) moved |= release(k, std::min(k + 32, n), Coroutine::WAITS_FOR_WARP);
        moved |= release(0, n, Coroutine::WAITS_FOR_BLOCK);
    }
    for (const Coroutine& c : coroutines)
        if (c.state != Coroutine::DONE) {
            std::fprintf(stderr, "emulator: threads of a block wait for each other forever\n");
            std::abort();
        }
}

template <class F>
void run(const Launch& launch, bool waits, F call) {
    std::vector<char> shared(launch.shared + 16);
    dynamic_shared = shared.data();
    threads = launch.block;
    blocks = launch.grid;
    body = [](void* f) { (*static_cast<F*>(f))(); };
    body_arguments = &call;
    for (unsigned z = 0; z < blocks.z; ++z)
        for (unsigned y = 0; y < blocks.y; ++y)
            for (unsigned x = 0; x < blocks.x; ++x) {
                block = dim3(x, y, z);
                if (waits) {
                    run_block_that_waits();
                    continue;
                }
                for (unsigned c = 0; c < threads.z; ++c)
                    for (unsigned b = 0; b < threads.y; ++b)
                        for (unsigned a = 0; a < threads.x; ++a) {
                            thread = dim3(a, b, c);
                            call();
                        }
            }
}

template <class... Args, size_t... I>
void launch(void (*kernel)(Args...), const Launch& launch, bool waits, void** values, std::index_sequence<I...>) {
    run(launch, waits, [&] { kernel(*static_cast<std::remove_cv_t<std::remove_reference_t<Args>>*>(values[I])...); });
}

template <class... Args>
void launch(void (*kernel)(Args...), const void* how, bool waits, void** values) {
    launch(kernel, *static_cast<const Launch*>(how), waits, values, std::index_sequence_for<Args...>());
}

}  // namespace emulator

#define threadIdx emulator::thread
#define blockIdx emulator::block
#define blockDim emulator::threads
#define gridDim emulator::blocks
constexpr int warpSize = 32;

// ---------------------------------------------------------------------------------------------- waiting and exchanging

inline void __syncthreads() { emulator::wait(emulator::Coroutine::WAITS_FOR_BLOCK); }
inline void __syncwarp(unsigned = ~0u) { emulator::wait(emulator::Coroutine::WAITS_FOR_WARP); }
inline void __threadfence() {}
inline void __threadfence_block() {}

template <class T>
T emulator_exchange(T value, int from) {  // `from`: a lane of the same warp
    static_assert(sizeof(T) <= 8);
    std::memcpy(&emulator::exchanged[emulator::running], &value, sizeof(T));
    __syncwarp();
    std::memcpy(&value, &emulator::exchanged[emulator::running / 32 * 32 + from], sizeof(T));
    __syncwarp();
    return value;
}
inline int emulator_lane() { return emulator::running % 32; }
template <class T> T __shfl_sync(unsigned, T v, int from, int width = 32) {
    return emulator_exchange(v, emulator_lane() / width * width + (from % width));
}
template <class T> T __shfl_up_sync(unsigned, T v, unsigned by, int width = 32) {
    const int lane = emulator_lane(), from = lane - static_cast<int>(by);
    return emulator_exchange(v, from < lane / width * width ? lane : from);
}
template <class T> T __shfl_down_sync(unsigned, T v, unsigned by, int width = 32) {
    const int lane = emulator_lane(), from = lane + static_cast<int>(by);
    return emulator_exchange(v, from >= (lane / width + 1) * width ? lane : from);
}
template <class T> T __shfl_xor_sync(unsigned, T v, int mask, int width = 32) {
    const int lane = emulator_lane(), from = lane ^ mask;
    return emulator_exchange(v, from >= (lane / width + 1) * width ? lane : from);
}
inline unsigned __ballot_sync(unsigned, int predicate) {
    unsigned bits = 0;
    for (int lane = 0; lane < 32; ++lane) bits |= (__shfl_sync(~0u, predicate != 0, lane) ? 1u : 0u) << lane;
    return bits;
}
inline int __any_sync(unsigned mask, int predicate) { return (__ballot_sync(mask, predicate) & mask) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return (__ballot_sync(mask, predicate) & mask) == mask; }

// ---------------------------------------------------------------------------------------------- atomic operations

template <class T> using emulator_same = typename std::common_type<T>::type;  // takes no part in deduction
template <class T> T atomicAdd(T* p, emulator_same<T> v) { T old = *p; *p = old + v; return old; }
template <class T> T atomicSub(T* p, emulator_same<T> v) { T old = *p; *p = old - v; return old; }
template <class T> T atomicExch(T* p, emulator_same<T> v) { T old = *p; *p = v; return old; }
template <class T> T atomicMin(T* p, emulator_same<T> v) { T old = *p; *p = v < old ? v : old; return old; }
template <class T> T atomicMax(T* p, emulator_same<T> v) { T old = *p; *p = v > old ? v : old; return old; }
template <class T> T atomicAnd(T* p, emulator_same<T> v) { T old = *p; *p = old & v; return old; }
template <class T> T atomicOr(T* p, emulator_same<T> v) { T old = *p; *p = old | v; return old; }
template <class T> T atomicXor(T* p, emulator_same<T> v) { T old = *p; *p = old ^ v; return old; }
template <class T> T atomicCAS(T* p, emulator_same<T> was, emulator_same<T> v) { T old = *p; if (old == was) *p = v; return old; }

// ---------------------------------------------------------------------------------------------- bits

template <class To, class From> To emulator_bits(From v) { To to; std::memcpy(&to, &v, sizeof(To)); return to; }
inline int __float_as_int(float v) { return emulator_bits<int>(v); }
inline unsigned __float_as_uint(float v) { return emulator_bits<unsigned>(v); }
inline float __int_as_float(int v) { return emulator_bits<float>(v); }
inline float __uint_as_float(unsigned v) { return emulator_bits<float>(v); }
inline long long __double_as_longlong(double v) { return emulator_bits<long long>(v); }
inline double __longlong_as_double(long long v) { return emulator_bits<double>(v); }
inline int __double2hiint(double v) { return static_cast<int>(emulator_bits<unsigned long long>(v) >> 32); }
inline int __double2loint(double v) { return static_cast<int>(emulator_bits<unsigned long long>(v)); }
inline double __hiloint2double(int high, int low) {
    return emulator_bits<double>(static_cast<unsigned long long>(static_cast<unsigned>(high)) << 32 | static_cast<unsigned>(low));
}
inline int __popc(unsigned v) { return __builtin_popcount(v); }
inline int __popcll(unsigned long long v) { return __builtin_popcountll(v); }
inline int __clz(int v) { return v ? __builtin_clz(v) : 32; }
inline int __clzll(long long v) { return v ? __builtin_clzll(v) : 64; }
inline int __ffs(int v) { return __builtin_ffs(v); }
inline int __ffsll(long long v) { return __builtin_ffsll(v); }
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned long long>(a) * b >> 32; }
template <class T> T __ldg(const T* p) { return *p; }

// ---------------------------------------------------------------------------------------------- mathematics

template <class A, class B> auto min(A a, B b) -> typename std::common_type<A, B>::type {
    using T = typename std::common_type<A, B>::type;
    if constexpr (std::is_floating_point<T>::value) return std::fmin(T(a), T(b));
    else return T(a) < T(b) ? T(a) : T(b);
}
template <class A, class B> auto max(A a, B b) -> typename std::common_type<A, B>::type {
    using T = typename std::common_type<A, B>::type;
    if constexpr (std::is_floating_point<T>::value) return std::fmax(T(a), T(b));
    else return T(a) < T(b) ? T(b) : T(a);
}
inline float rsqrt(float x) { return 1 / std::sqrt(x); }
inline double rsqrt(double x) { return 1 / std::sqrt(x); }
inline float rsqrtf(float x) { return 1 / std::sqrt(x); }
inline double rcbrt(double x) { return 1 / std::cbrt(x); }
inline float rcbrtf(float x) { return 1 / std::cbrt(x); }
inline double sinpi(double x) { return std::sin(M_PI * std::fmod(x, 2.0)); }
inline double cospi(double x) { return std::cos(M_PI * std::fmod(x, 2.0)); }
inline double normcdf(double x) { return std::erfc(-x * M_SQRT1_2) / 2; }
inline double erfcx(double x) {  // exp(x^2) erfc(x); the asymptotic series where the product would be 0 times infinity
    if (x < 20) return std::exp(x * x) * std::erfc(x);
    const double s = 1 / (2 * x * x);
    return (1 - s * (1 - 3 * s * (1 - 5 * s * (1 - 7 * s)))) / (x * std::sqrt(M_PI));
}
inline double erfinv(double y) {  // Newton's method on erf, from Winitzki's approximation
    if (!(y > -1 && y < 1)) return y == 1 ? INFINITY : y == -1 ? -INFINITY : NAN;
    const double a = 0.147, l = std::log1p(-y * y), t = 2 / (M_PI * a) + l / 2;
    double x = std::copysign(std::sqrt(std::sqrt(t * t - l / a) - t), y);
    for (int k = 0; k < 4; ++k) {
        const double error = y > 0.5 ? (1 - y) - std::erfc(x) : y < -0.5 ? std::erfc(-x) - (1 + y) : std::erf(x) - y;
        x -= error / (M_2_SQRTPI * std::exp(-x * x));
    }
    return x;
}
inline double erfcinv(double y) {
    if (!(y > 0 && y < 2)) return y == 0 ? INFINITY : y == 2 ? -INFINITY : NAN;
    if (y > 0.1) return erfinv(1 - y);
    double x = std::sqrt(-std::log(y));
    for (int k = 0; k < 8; ++k) x += (std::erfc(x) - y) / (M_2_SQRTPI * std::exp(-x * x));
    return x;
}
inline double normcdfinv(double p) { return -M_SQRT2 * erfcinv(2 * p); }
inline float erfinvf(float x) { return erfinv(x); }
inline float erfcinvf(float x) { return erfcinv(x); }
inline float normcdff(float x) { return normcdf(x); }
inline float normcdfinvf(float x) { return normcdfinv(x); }
inline float erfcxf(float x) { return erfcx(x); }
inline double cyl_bessel_i0(double x) { return std::cyl_bessel_i(0.0, std::fabs(x)); }
inline double cyl_bessel_i1(double x) { return std::copysign(std::cyl_bessel_i(1.0, std::fabs(x)), x); }
inline float cyl_bessel_i0f(float x) { return cyl_bessel_i0(x); }
inline float cyl_bessel_i1f(float x) { return cyl_bessel_i1(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
