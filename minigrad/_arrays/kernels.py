"""Operations of CUDA's own, where a chain of NumPy's functions would pass over the memory several times.

Every method of :class:`Kernels` returns None (or False) where it does not apply: the caller then composes the operation of
NumPy's functions, which is the same to rounding. That is all that a library without kernels ever says. The sources are CUDA
C++; with what ``tests/host_kernels.py`` defines they are plain C++ too, so that they are tested where there is no GPU.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from minigrad._arrays import cudnn

__all__ = ["ELEMENTWISE", "ROWWISE", "STEPS", "CudaKernels", "Elementwise", "Kernels", "row_source"]


class Kernels:
    """What a library without kernels answers: that there is none."""

    def softmax(self, x: Any, axis: int, logarithm: bool) -> Any:
        """``exp(x)`` along `axis`, divided by its sum there, or the logarithm of that."""
        return None

    def softmax_slope(self, grad: Any, out: Any, axis: int, logarithm: bool) -> Any:
        """The gradient of :meth:`softmax` with the result `out`."""
        return None

    def cross_entropy(self, x: Any, target: Any, ignore: int) -> Any:
        """-log(softmax(x)) of each row of the matrix `x` at the place that `target` names, 0 where that is `ignore`; softmax(x);
        how many rows are not ignored; and a target that is no place of a row, or None."""
        return None

    def cross_entropy_slope(self, grad: Any, soft: Any, target: Any, ignore: int, mean: bool) -> Any:
        """The gradient of :meth:`cross_entropy` with softmax(x) = `soft`; `grad` is that of each loss, or of the sum of all or,
        with `mean`, of the mean over the rows that are not ignored."""
        return None

    def scale_shift(self, x: Any, weight: Any, bias: Any) -> Any:
        """``x * weight + bias``, broadcast to the shape of `x`."""
        return None

    def each(self, name: str, *inputs: Any) -> Any:
        """The function `name`, such as ``"gelu"``, of the elements at each place of `inputs`: arrays of one shape, and then
        numbers that are the same everywhere."""
        return None

    def standardize(self, x: Any, weight: Any, bias: Any, layout: tuple[int, int, int], step: int, eps: float,
                    centered: bool) -> Any:
        """``(x - mean) / sqrt(var + eps) * weight + bias`` and mean and variance, over the rows of `x`, seen in the shape
        `layout` (outer, rows, inner). Of weight and bias, each of which may be None, each number belongs to `step` elements."""
        return None

    def standardize_backward(self, grad: Any, x: Any, mean: Any, var: Any, weight: Any, layout: tuple[int, int, int], step: int,
                             eps: float, centered: bool, shape: tuple[int, ...], wanted: tuple[bool, bool, bool]) -> Any:
        """The gradients of x, weight and bias, which have `shape`; those that are not `wanted` without elements. With s for the
        standardized input and h for ``grad * weight``: ``rstd * (h - mean(h) - s * mean(h * s))`` over the rows, and the sums of
        ``grad * s`` and of `grad`."""
        return None

    def attend(self, scores: Any, mask: Any, scale: float, first: int | None) -> Any:
        """Put the softmax of ``scores * scale + mask``, along the last of four dimensions, into `scores`; zeros where `mask`
        leaves nothing. The logarithms of the sums of the exponentials are returned, infinite for nothing. If `first` is not None,
        a row sees only its own column and those before, and the first row is the `first` of all."""
        return None

    def slope_of_scores(self, scores: Any, d: Any, mask: Any, lse: Any, grad_lse: Any, scale: float, first: int | None) -> bool:
        """Put the weights p that :meth:`attend` made of `scores` into `scores`, and ``p * (d - sum(p * d) + grad_lse) * scale``
        into `d`."""
        return False

    def max_pool(self, x: Any, positions: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, places: bool) -> Any:
        """The maximum of each window of `x` (n, channels, *size) or, with `places`, where in its plane the first one is."""
        return None

    def columns(self, x: Any, positions: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
        """What windows meet of `x` (a, b, *size), zeros around it: (a, elements of the window, b, positions)."""
        return None

    def collect(self, columns: Any, b: int, size: Any, positions: Any, kernel: Any, stride: Any, padding: Any,
                dilation: Any) -> Any:
        """The adjoint of :meth:`columns`."""
        return None

    def convolve(self, x: Any, weight: Any, y: Any, bias: Any, stride: Any, padding: Any, dilation: Any) -> Any:
        """Of x (n, channels, *size), weight (out, channels / groups, *kernel) and y (n, out, *positions) two are arrays and one
        is a shape: the gradient with respect to that one of the sum that :mod:`minigrad.ops.neural.convolution` begins with. To
        each channel of x or y its element of `bias` is added, where that is not None."""
        return None

    def put_in_planes(self, planes: Any, places: Any, values: Any) -> bool:
        """Add `values` (n, channels, *positions) to `planes` (n, channels, *size), contiguous, at `places` in each plane."""
        return False

    def multiply(self, a: Any, b: Any) -> Any:
        """The product of two matrices."""
        return None

    def add_rows(self, target: Any, places: Any, values: Any) -> bool:
        """Add each row of the matrix `values` to that of the contiguous matrix `target` whose number `places` has."""
        return False

    def rnn(self, input: Any, h0: Any, weight: Any, bias: Any, batch_sizes: Any, reverse: bool, rectified: bool) -> Any:
        """The last state and all states of an Elman network, with relu if it is `rectified`, else with tanh. Steps, states and
        gates are those of :mod:`minigrad.ops.neural.recurrent`; `bias` may be None."""
        return None

    def rnn_backward(self, g_output: Any, g_h: Any, states: Any, weight: Any, batch_sizes: Any, reverse: bool,
                     rectified: bool) -> Any:
        """The gradients of the input and the first state of :meth:`rnn`, of those of all states, or None, and of the last one."""
        return None

    def gru(self, input: Any, h0: Any, weight: Any, bias: Any, batch_sizes: Any, reverse: bool) -> Any:
        """The last state, all states and the gates of gated recurrent units."""
        return None

    def gru_backward(self, g_output: Any, g_h: Any, states: Any, gates: Any, h0: Any, weight: Any, batch_sizes: Any,
                     reverse: bool) -> Any:
        """The gradients of the gates of :meth:`gru`, before their functions, and of the first state."""
        return None

    def lstm(self, input: Any, h0: Any, c0: Any, weight: Any, bias: Any, batch_sizes: Any, reverse: bool) -> Any:
        """All outputs, the last state (two arrays), the gates and the cells of long short-term memory."""
        return None

    def lstm_backward(self, g_output: Any, g_h: Any, g_c: Any, gates: Any, cells: Any, c0: Any, weight: Any, batch_sizes: Any,
                      reverse: bool) -> Any:
        """The gradients of the gates of :meth:`lstm`, before their functions, and of the first state (two arrays)."""
        return None

    def dropout_mask(self, uniform: Any, p: float, scale: float, dtype: Any) -> Any:
        """`scale` where `uniform` is at least `p`, else 0."""
        return None

    def moves(self, rule: str, p: Any, grad: Any, *state: Any) -> bool:
        """Whether :meth:`move` knows the rule and takes these arrays."""
        return False

    def move(self, rule: str, tensors: Any, factors: Any) -> None:
        """One step of the optimizer `rule` for many parameters at once: `tensors` has for each the parameter and what else the
        rule moves, in place, and last the gradient; `factors` are what ``STEPS`` names."""

    def moves_together(self, rule: str, count: int, dtype: Any) -> bool:
        """Whether :meth:`move_together` knows the rule, for a parameter and what else it moves, `count` arrays of this dtype."""
        return False

    def move_together(self, rule: str, like: Any, addresses: Any, sizes: Any, grads: Any, factors: Any) -> None:
        """One step of the optimizer `rule` for small parameters of the dtype of `like`, with the same bits as without a kernel:
        `addresses` has a row for each, the addresses of the contiguous arrays that the rule moves; `grads` are a tuple."""


# ---------------------------------------------------------------------------------------------------- one element, one thread

class Elementwise(NamedTuple):
    """The arguments of ``cupy.ElementwiseKernel``. Outputs may be read: they are references to elements of arrays given."""

    inputs: str
    outputs: str
    body: str


WINDOW = """
    long long rest = i;
    const long long c = rest % o2; rest /= o2;
    const long long b = rest % o1; rest /= o1;
    const long long a = rest % o0; rest /= o0;
    const long long plane = rest * n0 * n1 * n2;
    long long at = -1;
    T best = 0;
    for (long long j0 = 0, p0 = a * s0 - b0; j0 < k0; ++j0, p0 += d0) {
        if (p0 < 0 || p0 >= n0) continue;
        for (long long j1 = 0, p1 = b * s1 - b1; j1 < k1; ++j1, p1 += d1) {
            if (p1 < 0 || p1 >= n1) continue;
            for (long long j2 = 0, p2 = c * s2 - b2; j2 < k2; ++j2, p2 += d2) {
                if (p2 < 0 || p2 >= n2) continue;
                const long long here = (p0 * n1 + p1) * n2 + p2;
                const T value = x[plane + here];
                if (at < 0 || value > best || value != value) { best = value; at = here; }
            }
        }
    }
"""
SIZES = ", ".join(f"int64 {letter}{dim}" for letter in "nokdsb" for dim in range(3))
COLUMNS = """
    long long rest = i;
    const long long g2 = rest % o2; rest /= o2;
    const long long g1 = rest % o1; rest /= o1;
    const long long g0 = rest % o0; rest /= o0;
    const long long b = rest % nb; rest /= nb;
    const long long j2 = rest % k2; rest /= k2;
    const long long j1 = rest % k1; rest /= k1;
    const long long j0 = rest % k0; rest /= k0;
    const long long p0 = g0 * s0 + j0 * d0 - b0, p1 = g1 * s1 + j1 * d1 - b1, p2 = g2 * s2 + j2 * d2 - b2;
    const bool inside = p0 >= 0 && p0 < n0 && p1 >= 0 && p1 < n1 && p2 >= 0 && p2 < n2;
    y = inside ? x[rest * step_a + b * step_b + (p0 * n1 + p1) * n2 + p2] : T(0);
"""
COLLECT = """
    long long rest = i;
    const long long q2 = rest % n2 + b2; rest /= n2;
    const long long q1 = rest % n1 + b1; rest /= n1;
    const long long q0 = rest % n0 + b0; rest /= n0;
    const long long b = rest % nb, a = rest / nb;
    T sum = 0;
    for (long long k = 0; k < k0 * k1 * k2; ++k) {
        const long long j0 = k / (k1 * k2), j1 = k / k2 % k1, j2 = k % k2;
        const long long r0 = q0 - j0 * d0, r1 = q1 - j1 * d1, r2 = q2 - j2 * d2;
        if (r0 < 0 || r1 < 0 || r2 < 0 || r0 % s0 || r1 % s1 || r2 % s2) continue;
        const long long g0 = r0 / s0, g1 = r1 / s1, g2 = r2 / s2;
        if (g0 >= o0 || g1 >= o1 || g2 >= o2) continue;
        sum += columns[(((a * k0 * k1 * k2 + k) * nb + b) * o0 + g0) * o1 * o2 + g1 * o2 + g2];
    }
    y = sum;
"""
BELOW = "    const T below = T(0.5) * erfc(x * T(-0.70710678118654752));\n"
ELEMENTWISE = {
    "scale_shift": Elementwise("T weight, T bias, T x", "T y", "    y = x * weight + bias;\n"),
    "gelu": Elementwise("T x", "T y", BELOW + "    y = x * below;\n"),
    "gelu_slope": Elementwise("T g, T x", "T y", BELOW +
                              "    y = g * (below + x * exp(T(-0.5) * x * x) * T(0.39894228040143268));\n"),
    "max_pool": Elementwise(f"raw T x, {SIZES}", "T y", WINDOW + "    y = best;\n"),
    "max_pool_places": Elementwise(f"raw T x, {SIZES}", "int64 y", WINDOW + "    y = at;\n"),
    "columns": Elementwise(f"raw T x, {SIZES}, int64 nb, int64 step_a, int64 step_b", "T y", COLUMNS),
    "collect": Elementwise(f"raw T columns, {SIZES}, int64 nb", "T y", COLLECT),
    "put_in_planes": Elementwise("T value, int64 place, int64 positions, int64 size", "raw T planes",
                                 "    atomicAdd(&planes[i / positions * size + place], value);\n"),
    "dropout_mask": Elementwise("float32 u, float32 p, T scale", "T y", "    y = u >= p ? scale : T(0);\n"),
}


# ---------------------------------------------------------------------------------------------------- one row, one block

BLOCK = 256  # threads in a block at most; a power of two, as every number of threads must be
REDUCE = f"""
__device__ T block_sum(T value) {{
    __shared__ T parts[{BLOCK}];
    __syncthreads();
    parts[threadIdx.x] = value;
    for (int half = blockDim.x / 2; half > 0; half /= 2) {{
        __syncthreads();
        if (threadIdx.x < half) parts[threadIdx.x] += parts[threadIdx.x + half];
    }}
    __syncthreads();
    return parts[0];
}}
__device__ T block_max(T value) {{
    __shared__ T parts[{BLOCK}];
    __syncthreads();
    parts[threadIdx.x] = value;
    for (int half = blockDim.x / 2; half > 0; half /= 2) {{
        __syncthreads();
        if (threadIdx.x < half && parts[threadIdx.x + half] > parts[threadIdx.x]) parts[threadIdx.x] = parts[threadIdx.x + half];
    }}
    __syncthreads();
    return parts[0];
}}
__device__ T highest(const T* x, long long n) {{
    T top = x[0];
    for (long long k = threadIdx.x; k < n; k += blockDim.x) if (x[k] > top) top = x[k];
    return block_max(top);
}}
__device__ T exponentials(const T* x, long long n, T top) {{
    T sum = 0;
    for (long long k = threadIdx.x; k < n; k += blockDim.x) sum += exp(x[k] - top);
    return block_sum(sum);
}}
"""
ROWWISE = {
    "softmax": """
extern "C" __global__ void softmax(const T* x, T* y, long long n, long long logarithm) {
    x += blockIdx.x * n;
    y += blockIdx.x * n;
    const T top = highest(x, n), sum = exponentials(x, n, top);
    const T log_sum = log(sum);
    for (long long k = threadIdx.x; k < n; k += blockDim.x)
        y[k] = logarithm ? x[k] - top - log_sum : exp(x[k] - top) / sum;
}
""",
    "softmax_slope": """
extern "C" __global__ void softmax_slope(const T* g, const T* y, T* x, long long n, long long logarithm) {
    g += blockIdx.x * n;
    y += blockIdx.x * n;
    x += blockIdx.x * n;
    T sum = 0;
    for (long long k = threadIdx.x; k < n; k += blockDim.x) sum += logarithm ? g[k] : g[k] * y[k];
    sum = block_sum(sum);
    for (long long k = threadIdx.x; k < n; k += blockDim.x)
        x[k] = logarithm ? g[k] - exp(y[k]) * sum : g[k] * y[k] - y[k] * sum;
}
""",
    "cross_entropy": """
extern "C" __global__ void cross_entropy(const T* x, const long long* target, T* loss, T* soft, long long* found, long long n,
                                         long long ignore) {
    x += blockIdx.x * n;
    soft += blockIdx.x * n;
    const T top = highest(x, n), sum = exponentials(x, n, top);
    for (long long k = threadIdx.x; k < n; k += blockDim.x) soft[k] = exp(x[k] - top) / sum;
    if (threadIdx.x != 0) return;
    const long long place = target[blockIdx.x];
    const bool wrong = place != ignore && (place < 0 || place >= n);
    if (wrong) { found[1] = 1; found[2] = place; }
    if (place != ignore) atomicAdd((unsigned long long*)found, 1ULL);
    loss[blockIdx.x] = wrong || place == ignore ? T(0) : log(sum) - (x[place] - top);
}
""",
    "cross_entropy_slope": """
extern "C" __global__ void cross_entropy_slope(const T* g, const T* soft, const long long* target, const long long* total, T* x,
                                               long long n, long long ignore, long long each, long long mean) {
    soft += blockIdx.x * n;
    x += blockIdx.x * n;
    const long long place = target[blockIdx.x];
    const T scale = g[each ? blockIdx.x : 0] / (mean ? T(*total) : T(1));
    for (long long k = threadIdx.x; k < n; k += blockDim.x)
        x[k] = place == ignore ? T(0) : (soft[k] - T(k == place)) * scale;
}
""",
    "standardize": """
extern "C" __global__ void standardize(const T* x, const T* weight, const T* bias, T* y, T* means, T* vars, long long outer,
                                       long long rows, long long inner, long long count, long long step, double eps,
                                       long long centered, long long weighted, long long biased) {
    const long long row = blockIdx.x, n = outer * inner;
    T mean = 0, var = 0;
    if (centered) {
        for (long long k = threadIdx.x; k < n; k += blockDim.x) mean += x[(k / inner * rows + row) * inner + k % inner];
        mean = block_sum(mean) / n;
    }
    for (long long k = threadIdx.x; k < n; k += blockDim.x) {
        const T d = x[(k / inner * rows + row) * inner + k % inner] - mean;
        var += d * d;
    }
    var = block_sum(var) / n;
    const T rstd = T(1) / sqrt(var + T(eps));
    for (long long k = threadIdx.x; k < n; k += blockDim.x) {
        const long long at = (k / inner * rows + row) * inner + k % inner, c = at / step % count;
        const T s = (x[at] - mean) * rstd;
        y[at] = (weighted ? s * weight[c] : s) + (biased ? bias[c] : T(0));
    }
    if (threadIdx.x == 0) { means[row] = mean; vars[row] = var; }
}
""",
    "standardize_backward": """
extern "C" __global__ void standardize_backward(const T* g, const T* x, const T* means, const T* vars, const T* weight, T* y,
                                                T* products, long long outer, long long rows, long long inner, long long count,
                                                long long step, double eps, long long centered, long long weighted,
                                                long long kept) {
    const long long row = blockIdx.x, n = outer * inner;
    const T mean = centered ? means[row] : T(0), rstd = T(1) / sqrt(vars[row] + T(eps));
    T sum = 0, product = 0;
    for (long long k = threadIdx.x; k < n; k += blockDim.x) {
        const long long at = (k / inner * rows + row) * inner + k % inner;
        const T s = (x[at] - mean) * rstd, h = weighted ? g[at] * weight[at / step % count] : g[at];
        sum += h;
        product += h * s;
        if (kept) products[at] = g[at] * s;
    }
    sum = centered ? block_sum(sum) / n : T(0);
    product = block_sum(product) / n;
    for (long long k = threadIdx.x; k < n; k += blockDim.x) {
        const long long at = (k / inner * rows + row) * inner + k % inner;
        const T s = (x[at] - mean) * rstd, h = weighted ? g[at] * weight[at / step % count] : g[at];
        y[at] = (h - s * product - sum) * rstd;
    }
}
""",
}
C_TYPES = {"float32": "float", "float64": "double"}


# ---------------------------------------------------------------------------------------------------- steps of optimizers

ADAM = """
    p *= shrink;
    T slope = sign * g;
    if (decay != 0) slope += decay * p;
    m = m * keep1 + slope * take1;
    const T scaled = slope * take2;
    v = v * keep2 + scaled * scaled;
    {largest}
    p -= m / (sqrt({second}) + eps) * rate;
"""
SGD = """
    T slope = sign * g;
    if (decay != 0) slope += decay * p;
    {momentum}
    p -= rate * slope;
"""


class Steps(NamedTuple):
    """What moves, element by element, the numbers that are the same for all, and the body that moves one element."""

    moved: str
    factors: str
    body: str


ADAM_FACTORS = "keep1 take1 keep2 take2 rate eps decay shrink sign"
STEPS = {
    "adam": Steps("p m v", ADAM_FACTORS, ADAM.format(largest="", second="v")),
    "amsgrad": Steps("p m v top", ADAM_FACTORS, ADAM.format(largest="top = v > top || v != v ? v : top;", second="top")),
    "sgd": Steps("p", "rate decay sign", SGD.format(momentum="")),
    "momentum": Steps("p buffer", "rate decay sign keep take momentum nesterov", SGD.format(
        momentum="buffer = buffer * keep + take * slope;\n    slope = nesterov != 0 ? slope + momentum * buffer : buffer;")),
}
STRETCH = 4096  # elements that one block moves


def step_source(name: str) -> str:
    """A kernel whose block moves the elements that a row of `table` names: their number, and where each array's begin."""
    step = STEPS[name]
    moved, factors = step.moved.split(), step.factors.split()
    lines = [f"const T {f} = T({f}_);" for f in factors]
    lines += [f"T* const {a}_ = (T*)row[{k}];" for k, a in enumerate(moved, 1)]
    lines += [f"const T* const g_ = (const T*)row[{len(moved) + 1}];",
              "for (long long i = threadIdx.x; i < row[0]; i += blockDim.x) {"]
    lines += [f"    T& {a} = {a}_[i];" for a in moved] + ["    const T g = g_[i];", step.body, "}"]
    inner = "\n    ".join([f"const long long* const row = table + blockIdx.x * {len(moved) + 2};", *lines])
    return (f'\nextern "C" __global__ void {name}(const long long* table, {", ".join(f"double {f}_" for f in factors)}) {{\n'
            f"    {inner}\n}}\n")


ROWWISE |= {name: step_source(name) for name in STEPS}


def row_source(name: str, dtype: str) -> str:
    """The complete source of one of ``ROWWISE`` for elements of `dtype`."""
    return f"typedef {C_TYPES[dtype]} T;\n{REDUCE}{ROWWISE[name]}"


def threads_for(n: int) -> int:
    """How many threads share a row of `n` elements: four elements each, from a warp up to a whole block."""
    return min(BLOCK, max(32, 1 << (max(n // 4, 1) - 1).bit_length()))


def in_three(values: Any, fill: Any) -> tuple[int, ...]:
    """One value for each of three dimensions, where there are fewer with `fill` in front."""
    return (fill,) * (3 - len(values)) + tuple([int(v) for v in values])


def sizes_of(size: Any, positions: Any, kernel: Any, dilation: Any, stride: Any, padding: Any) -> list[int]:
    """What ``SIZES`` names."""
    before = [pair[0] for pair in padding]
    return [*in_three(size, 1), *in_three(positions, 1), *in_three(kernel, 1), *in_three(dilation, 1), *in_three(stride, 1),
            *in_three(before, 0)]


def stretches(described: Any, itemsize: int) -> Any:
    """The table of ``STEPS``' kernels, for tensors `described` by rows of their size and the addresses of their arrays."""
    sizes = described[:, 0]
    counts = -(-sizes // STRETCH)
    table = np.repeat(described, counts, axis=0)
    begins = STRETCH * (np.arange(len(table)) - np.repeat(np.cumsum(counts) - counts, counts))
    table[:, 0] = np.minimum(STRETCH, table[:, 0] - begins)
    table[:, 1:] += begins[:, None] * itemsize
    return table


def contiguous(x: Any) -> Any:
    """`x` with its elements one after the other in row-major order."""
    return x if x.flags.c_contiguous else x.copy()


class CudaKernels(Kernels):
    """The kernels, compiled by CuPy when first used. For float32 and float64."""

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        self._tables: dict[str, Any] = {}  # by rule: what was moved last, and the table of it on the GPU

    @functools.cached_property
    def cudnn(self) -> cudnn.Cudnn | None:
        found = cudnn.module()
        return None if found is None else cudnn.Cudnn(found, self._cupy)

    @functools.cached_property
    def elementwise(self) -> dict[str, Any]:
        return {name: self._cupy.ElementwiseKernel(k.inputs, k.outputs, k.body, f"minigrad_{name}")
                for name, k in ELEMENTWISE.items()}

    @functools.cached_property
    def rowwise(self) -> dict[tuple[str, str], Any]:
        return {(name, dtype): self._cupy.RawKernel(row_source(name, dtype), name) for name in ROWWISE for dtype in C_TYPES}

    def takes(self, *arrays: Any) -> bool:
        """Whether there are kernels for arrays of this type: one for all, float32 or float64."""
        dtype = arrays[0].dtype
        return dtype.char in "fd" and all([a.dtype == dtype for a in arrays])

    def run_rows(self, name: str, rows: int, n: int, first: Any, *args: Any) -> None:
        with first.device:
            self.rowwise[name, first.dtype.name]((rows,), (threads_for(n),), (first, *args))

    def softmax(self, x: Any, axis: int, logarithm: bool) -> Any:
        if not self.takes(x) or not x.size or axis not in (-1, x.ndim - 1):
            return None
        x = contiguous(x)
        y, n = self._cupy.empty_like(x), x.shape[-1] if x.ndim else 1
        self.run_rows("softmax", x.size // n, n, x, y, n, int(logarithm))
        return y

    def softmax_slope(self, grad: Any, out: Any, axis: int, logarithm: bool) -> Any:
        if not self.takes(grad, out) or not out.size or axis not in (-1, out.ndim - 1):
            return None
        grad, out = contiguous(grad), contiguous(out)
        slope, n = self._cupy.empty_like(out), out.shape[-1] if out.ndim else 1
        self.run_rows("softmax_slope", out.size // n, n, grad, out, slope, n, int(logarithm))
        return slope

    def takes_classes(self, x: Any, target: Any) -> bool:
        """Whether `x` is a matrix with as many rows as `target` has elements, of types that there are kernels for."""
        return bool(self.takes(x) and x.ndim == 2 and x.size and target.shape == x.shape[:1] and target.dtype == np.int64)

    def cross_entropy(self, x: Any, target: Any, ignore: int) -> Any:
        if not self.takes_classes(x, target):
            return None
        loss, soft = [self._cupy.empty(shape, x.dtype) for shape in (x.shape[:1], x.shape)]
        found = self._cupy.zeros(3, np.int64)
        self.run_rows("cross_entropy", *x.shape, contiguous(x), contiguous(target), loss, soft, found, x.shape[1], ignore)
        counted, wrong, place = found.get().tolist()
        return loss, soft, counted, place if wrong else None

    def cross_entropy_slope(self, grad: Any, soft: Any, target: Any, ignore: int, mean: bool) -> Any:
        if not self.takes_classes(soft, target) or not self.takes(grad, soft):
            return None
        slope = self._cupy.empty(soft.shape, soft.dtype)
        total = (target != ignore).sum() if mean else target
        self.run_rows("cross_entropy_slope", *soft.shape, contiguous(grad), contiguous(soft), contiguous(target), total, slope,
                      soft.shape[1], ignore, grad.ndim, int(mean))
        return slope

    def scale_shift(self, x: Any, weight: Any, bias: Any) -> Any:
        return self.broadcast("scale_shift", weight, bias, x) if self.takes(x, weight, bias) else None

    def each(self, name: str, *inputs: Any) -> Any:
        if name not in ELEMENTWISE or not self.takes(*inputs) or any([a.shape != inputs[0].shape for a in inputs]):
            return None
        return self.broadcast(name, *inputs)

    def broadcast(self, name: str, *inputs: Any) -> Any:
        """A new array like the last of `inputs`, of whose elements each is computed from those of all at its place."""
        out = self._cupy.empty_like(inputs[-1])
        with out.device:
            self.elementwise[name](*inputs, out)
        return out

    def standardize(self, x: Any, weight: Any, bias: Any, layout: tuple[int, int, int], step: int, eps: float,
                    centered: bool) -> Any:
        given = [v for v in (weight, bias) if v is not None]
        if not self.takes(x, *given) or not x.size:
            return None
        # What is not there is not read: in its place stands the address of x.
        arrays = [contiguous(x if a is None else a) for a in (x, weight, bias)]
        y = self._cupy.empty_like(arrays[0])
        outer, rows, inner = x.reshape(layout).shape
        mean, var = [self._cupy.empty_like(x, shape=(1, rows, 1)) for _ in range(2)]
        self.run_rows("standardize", rows, outer * inner, *arrays, y, mean, var, outer, rows, inner,
                      given[0].size if given else 1, step, float(eps), int(centered), int(weight is not None),
                      int(bias is not None))
        return y, mean, var

    def standardize_backward(self, grad: Any, x: Any, mean: Any, var: Any, weight: Any, layout: tuple[int, int, int], step: int,
                             eps: float, centered: bool, shape: tuple[int, ...], wanted: tuple[bool, bool, bool]) -> Any:
        if not self.takes(grad, x, mean, var, *([] if weight is None else [weight])) or not x.size:
            return None
        arrays = [contiguous(a) for a in (grad, x, mean, var, x if weight is None else weight)]
        result, count = self._cupy.empty_like(arrays[1]), math.prod(shape)
        products = self._cupy.empty_like(result) if wanted[1] else result
        outer, rows, inner = x.reshape(layout).shape
        self.run_rows("standardize_backward", rows, outer * inner, *arrays, result, products, outer, rows, inner, count, step,
                      float(eps), int(centered), int(weight is not None), int(wanted[1]))
        grads = result, *[a.reshape(-1, count, step).sum(axis=(0, 2)).reshape(shape) if asked else None
                          for a, asked in zip((products, grad), wanted[1:])]
        return tuple([v if asked else self._cupy.empty_like(x, shape=(0,)) for v, asked in zip(grads, wanted)])

    def max_pool(self, x: Any, positions: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, places: bool) -> Any:
        if not self.takes(x) or not 1 <= len(kernel) <= 3:
            return None
        out = self._cupy.empty_like(x, shape=(*x.shape[:2], *positions), dtype=np.int64 if places else x.dtype, order="C")
        if out.size:
            with x.device:
                self.elementwise["max_pool_places" if places else "max_pool"](
                    contiguous(x), *sizes_of(x.shape[2:], positions, kernel, dilation, stride, padding), out)
        return out

    def columns(self, x: Any, positions: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
        if not self.takes(x) or not 1 <= len(kernel) <= 3:
            return None
        out = self._cupy.empty_like(x, shape=(x.shape[0], math.prod(kernel), x.shape[1], math.prod(positions)), order="C")
        if out.size:
            a, b, plane = x.shape[0], x.shape[1], math.prod(x.shape[2:])
            swapped = x.swapaxes(0, 1)  # images are stored by sample, and asked for by channel
            kept, steps = (swapped, (plane, a * plane)) if swapped.flags.c_contiguous else (contiguous(x), (b * plane, plane))
            with x.device:
                self.elementwise["columns"](kept, *sizes_of(x.shape[2:], positions, kernel, dilation, stride, padding), b, *steps,
                                            out)
        return out

    def collect(self, columns: Any, b: int, size: Any, positions: Any, kernel: Any, stride: Any, padding: Any,
                dilation: Any) -> Any:
        if not self.takes(columns) or not 1 <= len(kernel) <= 3:
            return None
        out = self._cupy.empty_like(columns, shape=(columns.shape[0], b, *size), order="C")
        if out.size:
            with columns.device:
                self.elementwise["collect"](contiguous(columns), *sizes_of(size, positions, kernel, dilation, stride, padding), b,
                                            out)
        return out

    def convolve(self, x: Any, weight: Any, y: Any, bias: Any, stride: Any, padding: Any, dilation: Any) -> Any:
        if not cudnn.switches.enabled or self.cudnn is None:
            return None
        found = self.cudnn.convolve(x, weight, y, stride, padding, dilation)
        if found is not None and bias is not None:
            found += bias.reshape(-1, *[1] * (found.ndim - 2))
        return found

    def put_in_planes(self, planes: Any, places: Any, values: Any) -> bool:
        if not self.takes(planes, values) or places.dtype != np.int64:
            return False
        if values.size:
            with planes.device:
                self.elementwise["put_in_planes"](contiguous(values), contiguous(places),
                                                  math.prod(values.shape[2:]), math.prod(planes.shape[2:]), planes)
        return True

    def dropout_mask(self, uniform: Any, p: float, scale: float, dtype: Any) -> Any:
        if dtype.name not in C_TYPES:
            return None
        mask = self._cupy.empty_like(uniform, dtype=dtype)
        with uniform.device:
            self.elementwise["dropout_mask"](uniform, p, scale, mask)
        return mask

    def moves(self, rule: str, p: Any, grad: Any, *state: Any) -> bool:
        # The kernel is given addresses: what is elsewhere must be left to operations, which refuse it.
        here, kind = p.device, p.__class__
        return (rule in STEPS and self.takes(p, grad, *state)
                and all([a.__class__ is kind and a.device == here for a in (grad, *state)])
                and grad.shape == p.shape and all([a.flags.c_contiguous for a in (p, *state)]) and p.size > 0)

    def move(self, rule: str, tensors: Any, factors: Any) -> None:
        first = tensors[0][0]
        tensors = [(*moved, contiguous(grad)) for *moved, grad in tensors]
        described = tuple([(moved[0].size, *[a.data.ptr for a in moved]) for moved in tensors])
        held, table = self._tables.get(rule, (None, None))
        if held != described:  # the memory of gradients that were freed is mostly that of the next ones
            table = self._cupy.asarray(stretches(np.array(described, np.int64), first.itemsize))
            self._tables[rule] = described, table
        with first.device:
            self.rowwise[rule, first.dtype.name]((len(table),), (BLOCK,), (table, *factors))
