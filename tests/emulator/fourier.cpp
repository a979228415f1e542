// The cuFFT functions that CuPy calls, as sums by definition.

#include "counts.h"

#include <cmath>
#include <complex>
#include <cstdint>
#include <map>
#include <vector>

namespace {

using Z = std::complex<double>;
enum Type { C2C = 0x29, R2C = 0x2a, C2R = 0x2c, Z2Z = 0x69, D2Z = 0x6a, Z2D = 0x6c };

struct Layout {
    std::vector<int> embed;  // the sizes of the block that holds one signal
    int64_t stride, distance;
};

struct Plan {
    std::vector<int> sizes;
    Layout in, out;
    int batch;
};
std::map<int, Plan> plans;
int last_plan = 0;

// Where the element `place` of signal `b` is.
int64_t offset(const Layout& layout, int64_t b, const std::vector<int>& place) {
    int64_t at = 0;
    for (size_t d = 0; d < place.size(); ++d) at = at * (d ? layout.embed[d] : 1) + place[d];
    return b * layout.distance + at * layout.stride;
}

// Calls `visit` with every place in a block of these sizes, the last dimension first.
template <class F>
void each(const std::vector<int>& sizes, F visit) {
    std::vector<int> place(sizes.size());
    for (int n : sizes)
        if (!n) return;
    while (true) {
        visit(place);
        int d = static_cast<int>(sizes.size()) - 1;
        for (; d >= 0 && ++place[d] == sizes[d]; --d) place[d] = 0;
        if (d < 0) return;
    }
}

int64_t flat(const std::vector<int>& sizes, const std::vector<int>& place) {
    int64_t at = 0;
    for (size_t d = 0; d < sizes.size(); ++d) at = at * sizes[d] + place[d];
    return at;
}

template <class In, class Out>
int execute(int handle, const In* from, Out* to, int sign) {
    const Busy busy;
    constexpr bool from_half = std::is_floating_point_v<Out>, to_half = std::is_floating_point_v<In>;
    const Plan& plan = plans.at(handle);
    const std::vector<int>& sizes = plan.sizes;
    int64_t total = 1;
    for (int n : sizes) total *= n;
    for (int64_t b = 0; b < plan.batch; ++b) {
        std::vector<Z> values(total);
        each(sizes, [&](const std::vector<int>& place) {
            std::vector<int> given = place;
            const bool mirrored = from_half && place.back() > sizes.back() / 2;
            if (mirrored)
                for (size_t d = 0; d < sizes.size(); ++d) given[d] = (sizes[d] - place[d]) % sizes[d];
            const Z value(from[offset(plan.in, b, given)]);
            values[flat(sizes, place)] = mirrored ? std::conj(value) : value;
        });
        for (size_t d = 0; d < sizes.size(); ++d) {
            std::vector<Z> next(total);
            each(sizes, [&](const std::vector<int>& place) {
                std::vector<int> other = place;
                Z sum = 0;
                for (int k = 0; k < sizes[d]; ++k) {
                    other[d] = k;
                    sum += values[flat(sizes, other)] * std::polar(1.0, sign * 2 * M_PI * (int64_t(k) * place[d] % sizes[d]) / sizes[d]);
                }
                next[flat(sizes, place)] = sum;
            });
            values = next;
        }
        std::vector<int> kept = sizes;
        if (to_half) kept.back() = kept.back() / 2 + 1;
        each(kept, [&](const std::vector<int>& place) {
            const Z value = values[flat(sizes, place)];
            if constexpr (from_half) to[offset(plan.out, b, place)] = static_cast<Out>(value.real());
            else to[offset(plan.out, b, place)] = Out(value);
        });
    }
    return 0;
}

}  // namespace

extern "C" {

int cufftCreate(int* handle) { *handle = ++last_plan; return 0; }
int cufftDestroy(int handle) { plans.erase(handle); return 0; }
int cufftGetVersion(int* version) { *version = 12000; return 0; }
int cufftSetAutoAllocation(int, int) { return 0; }
int cufftSetStream(int, void*) { return 0; }
int cufftSetWorkArea(int, void*) { return 0; }

int cufftMakePlanMany(int handle, int rank, int* n, int* in_embed, int in_stride, int in_distance, int* out_embed, int out_stride,
                      int out_distance, int type, int batch, size_t* work) {
    std::vector<int> sizes(n, n + rank), half = sizes;
    half.back() = half.back() / 2 + 1;
    const std::vector<int>&packed_in = type == C2R || type == Z2D ? half : sizes, &packed_out = type == R2C || type == D2Z ? half : sizes;
    auto layout = [&](const std::vector<int>& packed, const int* embed, int stride, int distance) {
        int64_t all = 1;
        for (int m : packed) all *= m;
        return embed ? Layout{{embed, embed + rank}, stride, distance} : Layout{packed, 1, all};
    };
    plans[handle] = {sizes, layout(packed_in, in_embed, in_stride, in_distance),
                     layout(packed_out, out_embed, out_stride, out_distance), batch};
    *work = 0;
    return 0;
}
int cufftMakePlan1d(int handle, int n, int type, int batch, size_t* work) {
    return cufftMakePlanMany(handle, 1, &n, nullptr, 1, 0, nullptr, 1, 0, type, batch, work);
}

int cufftExecC2C(int h, const std::complex<float>* a, std::complex<float>* b, int sign) { return execute(h, a, b, sign); }
int cufftExecZ2Z(int h, const Z* a, Z* b, int sign) { return execute(h, a, b, sign); }
int cufftExecR2C(int h, const float* a, std::complex<float>* b) { return execute(h, a, b, -1); }
int cufftExecD2Z(int h, const double* a, Z* b) { return execute(h, a, b, -1); }
int cufftExecC2R(int h, const std::complex<float>* a, float* b) { return execute(h, a, b, 1); }
int cufftExecZ2D(int h, const Z* a, double* b) { return execute(h, a, b, 1); }

}  // extern "C"
