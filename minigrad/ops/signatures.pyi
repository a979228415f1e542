"""The declared operations, for type checkers; made by ``python -m tests.typing.signatures``."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, overload
from minigrad._types.annotations import DTypeLike, IntOrInts, Number, Tensor
from minigrad._types.dtypes import dtype
from minigrad._types.layouts import memory_format

class ATau(NamedTuple):
    a: Tensor
    tau: Tensor

class EigenvaluesEigenvectors(NamedTuple):
    eigenvalues: Tensor
    eigenvectors: Tensor

class GradInputGradWeightGradBias(NamedTuple):
    grad_input: Tensor
    grad_weight: Tensor
    grad_bias: Tensor

class GradQueryGradKeyGradValue(NamedTuple):
    grad_query: Tensor
    grad_key: Tensor
    grad_value: Tensor

class HistBinEdges(NamedTuple):
    hist: Tensor
    bin_edges: Tensor

class LDPivots(NamedTuple):
    LD: Tensor
    pivots: Tensor

class LUPivots(NamedTuple):
    LU: Tensor
    pivots: Tensor

class LossProbabilities(NamedTuple):
    loss: Tensor
    probabilities: Tensor

class MantissaExponent(NamedTuple):
    mantissa: Tensor
    exponent: Tensor

class MinMax(NamedTuple):
    min: Tensor
    max: Tensor

class OutputHNCNGatesCells(NamedTuple):
    output: Tensor
    h_n: Tensor
    c_n: Tensor
    gates: Tensor
    cells: Tensor

class OutputHNStates(NamedTuple):
    output: Tensor
    h_n: Tensor
    states: Tensor

class OutputHNStatesGates(NamedTuple):
    output: Tensor
    h_n: Tensor
    states: Tensor
    gates: Tensor

class OutputInverseIndicesCounts(NamedTuple):
    output: Tensor
    inverse_indices: Tensor
    counts: Tensor

class QR(NamedTuple):
    Q: Tensor
    R: Tensor

class ResultLogsumexp(NamedTuple):
    result: Tensor
    logsumexp: Tensor

class ResultMeanVar(NamedTuple):
    result: Tensor
    mean: Tensor
    var: Tensor

class SignLogabsdet(NamedTuple):
    sign: Tensor
    logabsdet: Tensor

class USVh(NamedTuple):
    U: Tensor
    S: Tensor
    Vh: Tensor

class ValuesIndices(NamedTuple):
    values: Tensor
    indices: Tensor

def abs(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Absolute value; of a complex number, its distance from zero."""
def acos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle, in radians, whose cosine it is; nan outside [-1, 1]."""
def acosh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Inverse of :func:`cosh`; nan below 1."""
def add(input: Tensor | Number, other: Tensor | Number, alpha: Number = 1, *, out: Tensor | None = None) -> Tensor:
    """Elementwise ``input + alpha * other``."""
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, beta: Number = 1, alpha: Number = 1, *,
           out: Tensor | None = None) -> Tensor:
    """``beta * input + alpha * bmm(batch1, batch2).sum(0)``."""
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, value: Number = 1, *, out: Tensor | None = None) -> Tensor:
    """``input + value * tensor1 / tensor2``, of floating-point tensors."""
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, value: Number = 1, *, out: Tensor | None = None) -> Tensor:
    """``input + value * tensor1 * tensor2``."""
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, beta: Number = 1, alpha: Number = 1, *, out: Tensor | None = None) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)`` for matrices; `input` is broadcast to the shape of the product."""
def addmv(input: Tensor, mat: Tensor, vec: Tensor, beta: Number = 1, alpha: Number = 1, *, out: Tensor | None = None) -> Tensor:
    """``beta * input + alpha * (mat @ vec)`` for a matrix and a vector."""
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, beta: Number = 1, alpha: Number = 1, *, out: Tensor | None = None) -> Tensor:
    """``beta * input + alpha * outer(vec1, vec2)``."""
def airy_ai(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The Airy function Ai."""
def all(input: Tensor, dim: IntOrInts | None = None, keepdim: bool = False, *, axis: IntOrInts | None = None,
        keepdims: bool | None = None, out: Tensor | None = None) -> Tensor:
    """Whether all elements over `dim` are non-zero. The result is bool, or uint8 for a uint8 input."""
def amax(input: Tensor, dim: IntOrInts = (), keepdim: bool = False, *, axis: IntOrInts | None = None,
         keepdims: bool | None = None, out: Tensor | None = None) -> Tensor:
    """Largest element over `dim` (an int, several, or () for all). Elements that tie share the gradient evenly."""
def amin(input: Tensor, dim: IntOrInts = (), keepdim: bool = False, *, axis: IntOrInts | None = None,
         keepdims: bool | None = None, out: Tensor | None = None) -> Tensor:
    """Smallest element over `dim` (an int, several, or () for all). Elements that tie share the gradient evenly."""
def aminmax(input: Tensor, dim: int | None = None, keepdim: bool = False, *, axis: int | None = None,
            keepdims: bool | None = None, out: Sequence[Tensor] | None = None) -> MinMax:
    """Smallest and largest element over `dim`, or of all; a named tuple (min, max)."""
def angle(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle of complex numbers, in radians; of real ones 0 or, below zero, pi."""
def any(input: Tensor, dim: IntOrInts | None = None, keepdim: bool = False, *, axis: IntOrInts | None = None,
        keepdims: bool | None = None, out: Tensor | None = None) -> Tensor:
    """Whether any element over `dim` is non-zero. The result is bool, or uint8 for a uint8 input."""
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False, *, axis: int | None = None, keepdims: bool | None = None,
           out: Tensor | None = None) -> Tensor:
    """Index of the largest element along `dim`, or in the flattened input; the first of those that tie. NaN is ..."""
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False, *, axis: int | None = None, keepdims: bool | None = None,
           out: Tensor | None = None) -> Tensor:
    """Index of the smallest element along `dim`, or in the flattened input; the first of those that tie. NaN is ..."""
def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False, axis: int | None = None,
            out: Tensor | None = None) -> Tensor:
    """The indices that sort `input` along `dim`; see :func:`sort`."""
def as_strided_copy(input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None, *,
                    out: Tensor | None = None) -> Tensor:
    """A copy of what :func:`as_strided` gives, in memory of its own."""
def asin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle, in radians, whose sine it is; nan outside [-1, 1]."""
def asinh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Inverse of :func:`sinh`."""
def atan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle, in radians, whose tangent it is."""
def atan2(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle, in radians, of the point with y = `input` and x = `other`."""
def atanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Inverse of :func:`tanh`; infinite at -1 and 1, nan outside."""
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, beta: Number = 1, alpha: Number = 1, *,
            out: Tensor | None = None) -> Tensor:
    """``beta * input + alpha * bmm(batch1, batch2)``."""
def bessel_j0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The Bessel function of the first kind of order 0."""
def bessel_j1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The Bessel function of the first kind of order 1."""
def bessel_y0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The Bessel function of the second kind of order 0."""
def bessel_y1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The Bessel function of the second kind of order 1."""
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0, *, out: Tensor | None = None) -> Tensor:
    """How often each of 0, 1, 2, ... occurs among non-negative integers; or the sum of the `weights` at its ..."""
def bitwise_and(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Bits set in both; for booleans, the logical and."""
def bitwise_left_shift(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """``input * 2**other`` by shifting bits."""
def bitwise_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """All bits inverted; for booleans, the logical not."""
def bitwise_or(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Bits set in one or both; for booleans, the logical or."""
def bitwise_right_shift(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """``input // 2**other`` by shifting bits; negative numbers stay negative."""
def bitwise_xor(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Bits set in exactly one; for booleans, the logical exclusive or."""
def bmm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Products of two batches of matrices, ``(b, n, k)`` and ``(b, k, m)``."""
def cat(tensors: Sequence[Tensor], dim: int = 0, *, axis: int | None = None, out: Tensor | None = None) -> Tensor:
    """`tensors` joined along the existing dimension `dim`; their other sizes must be equal."""
def ceil(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smallest integer not below each element, in the dtype of `input`."""
def celu_(self: Tensor, alpha: float = 1.0) -> Tensor:
    """In-place form of :func:`celu`: writes the result into the tensor and returns it."""
def chebyshev_polynomial_t(input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """The Chebyshev polynomial of the first kind of degree `n`."""
def chebyshev_polynomial_u(input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """The Chebyshev polynomial of the second kind of degree `n`."""
def chebyshev_polynomial_v(input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """The Chebyshev polynomial of the third kind of degree `n`: ``U_n - U_(n-1)``."""
def chebyshev_polynomial_w(input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """The Chebyshev polynomial of the fourth kind of degree `n`: ``U_n + U_(n-1)``."""
def clone(input: Tensor, memory_format: memory_format = ..., *, out: Tensor | None = None) -> Tensor:
    """A copy of `input` in memory of its own; gradients flow through it."""
def complex(real: Tensor, imag: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The complex tensor of two floating-point tensors of one dtype."""
def constant_pad_nd(input: Tensor, pad: Sequence[int], value: Number = 0, *, out: Tensor | None = None) -> Tensor:
    """`input` with ``pad[0]`` elements before and ``pad[1]`` after its last dimension, ``pad[2]``, ``pad[3]`` ..."""
def copysign(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """The size of `input` with the sign of `other`, which -0 has too."""
def cos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Cosine of an angle in radians."""
def cosh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Hyperbolic cosine."""
def count_nonzero(input: Tensor, dim: IntOrInts | None = None, *, axis: IntOrInts | None = None,
                  out: Tensor | None = None) -> Tensor:
    """How many elements over `dim` are not zero, as int64."""
def cummax(input: Tensor, dim: int, *, axis: int | None = None, out: Sequence[Tensor] | None = None) -> ValuesIndices:
    """Largest element up to and including each, along `dim`, and its index: the last of those that tie. NaN stays."""
def cummin(input: Tensor, dim: int, *, axis: int | None = None, out: Sequence[Tensor] | None = None) -> ValuesIndices:
    """Smallest element up to and including each, along `dim`, and its index: the last of those that tie. NaN stays."""
def cumprod(input: Tensor, dim: int, dtype: dtype | None = None, *, axis: int | None = None, out: Tensor | None = None) -> Tensor:
    """Product of the elements up to and including each, along `dim`. Integers and booleans give int64."""
def cumsum(input: Tensor, dim: int, dtype: dtype | None = None, *, axis: int | None = None, out: Tensor | None = None) -> Tensor:
    """Sum of the elements up to and including each, along `dim`. Integers and booleans give int64."""
def deg2rad(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Degrees to radians."""
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1, *, out: Tensor | None = None) -> Tensor:
    """A copy of what :func:`diagonal` gives, in memory of its own."""
def diff(input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None, *,
         axis: int | None = None, out: Tensor | None = None) -> Tensor:
    """The `n`-th difference along `dim`, ``x[i + 1] - x[i]`` repeated; `prepend` and `append` are joined to ..."""
def digamma(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The derivative of :func:`lgamma`; nan at negative integers, an infinity of the opposite sign at 0 and -0."""
def dot(input: Tensor, tensor: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Sum of the products of the elements of two vectors of one length."""
def elu_(self: Tensor, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Tensor:
    """In-place form of :func:`elu`: writes the result into the tensor and returns it."""
def entr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``-x * log(x)``, 0 at 0 and -inf below."""
def eq(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Elementwise ``input == other``."""
def erf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The error function ``2 / sqrt(pi)`` times the integral of ``exp(-t**2)`` from 0 to x."""
def erfc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``1 - erf(x)``, exact where erf is near 1."""
def erfcx(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``exp(x**2) * erfc(x)``."""
def erfinv(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inverse of :func:`erf`; infinite at -1 and 1, nan outside."""
def exp(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Elementwise e**x."""
def exp2(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Elementwise 2**x."""
def expand(input: Tensor, size: Sequence[int], *, out: Tensor | None = None) -> Tensor:
    """A copy of what :func:`expand` gives, in memory of its own."""
def expm1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Elementwise e**x - 1, exact for small x."""
def flip(input: Tensor, dims: IntOrInts, *, out: Tensor | None = None) -> Tensor:
    """A copy of `input` with the order of elements reversed along each dimension in `dims`."""
def floor(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The largest integer not above each element, in the dtype of `input`."""
def floor_divide(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """``input / other`` rounded down, in the dtype of the operands. Raises ``RuntimeError`` for an integer zero ..."""
def fmax(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The larger of two elements, or the one that is not nan."""
def fmin(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smaller of two elements, or the one that is not nan."""
def fmod(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """What the division rounded towards zero leaves, with the sign of `input`, as C's ``fmod``."""
def frac(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The fraction of each element, with its sign."""
def frexp(input: Tensor, *, out: Sequence[Tensor] | None = None) -> MantissaExponent:
    """A mantissa with 0.5 <= |mantissa| < 1 and an int32 exponent, so that ``input == mantissa * 2**exponent``."""
def gcd(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Greatest common divisor of integers; never negative."""
def ge(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Elementwise ``input >= other``."""
def gelu(input: Tensor, approximate: str = 'none', *, out: Tensor | None = None) -> Tensor:
    """x times the probability that a standard normal variable is below x."""
def geqrf(input: Tensor, *, out: Sequence[Tensor] | None = None) -> ATau:
    """QR in the form of Householder reflections: R above, the vectors below the diagonal, and their factors `tau`."""
def gt(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Elementwise ``input > other``."""
def hardshrink(input: Tensor, lambd: float = 0.5, *, out: Tensor | None = None) -> Tensor:
    """x, and 0 where ``|x| <= lambd``."""
def hardtanh_(self: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """In-place form of :func:`hardtanh`: writes the result into the tensor and returns it."""
def heaviside(input: Tensor, values: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The step function: 0 below zero, `values` at zero, 1 above."""
def hermite_polynomial_h(input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """The physicists' Hermite polynomial of degree `n`."""
def hermite_polynomial_he(input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """The probabilists' Hermite polynomial of degree `n`."""
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0, *, out: Tensor | None = None) -> Tensor:
    """How many elements fall into each of `bins` equal intervals between `min` and `max`, or between the ..."""
def hypot(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``sqrt(input**2 + other**2)`` without overflow."""
def i0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The modified Bessel function of the first kind of order 0."""
def i0e(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``exp(-|x|) * i0(x)``."""
def i1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The modified Bessel function of the first kind of order 1."""
def i1e(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``exp(-|x|) * i1(x)``."""
def igamma(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The regularised lower incomplete gamma function P(input, other): the probability that a gamma variate of ..."""
def igammac(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The regularised upper incomplete gamma function, ``1 - igamma``."""
def imag(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The imaginary part, a view. Raises ``RuntimeError`` for real tensors."""
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False, *,
            out: Tensor | None = None) -> Tensor:
    """Whether ``|input - other| <= atol + rtol * |other|``; an infinity is close to itself only, nan to nan if ..."""
def isfinite(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether each element is neither infinite nor nan."""
def isinf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether each element is infinite."""
def isnan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether each element is nan."""
def isneginf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether each element is -inf."""
def isposinf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether each element is +inf."""
def isreal(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether each element is a real number: its imaginary part is 0."""
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False, *, axis: int | None = None,
             keepdims: bool | None = None, out: Sequence[Tensor] | None = None) -> ValuesIndices:
    """The `k`-th smallest element along `dim`, counted from 1, and its index."""
def laguerre_polynomial_l(input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """The Laguerre polynomial of degree `n`."""
def lcm(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Least common multiple of integers; never negative."""
def le(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Elementwise ``input <= other``."""
def leaky_relu_(self: Tensor, negative_slope: float = 0.01) -> Tensor:
    """In-place form of :func:`leaky_relu`: writes the result into the tensor and returns it."""
def legendre_polynomial_p(input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """The Legendre polynomial of degree `n`."""
def lerp(input: Tensor, end: Tensor, weight: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Linear interpolation ``input + weight * (end - input)``; `weight` is a tensor or a number."""
def lgamma(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log(|gamma(x)|)``."""
def linalg_cholesky(A: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The lower triangular L with ``A = L @ L.mH``, or the upper triangular U with ``A = U.mH @ U``."""
def linalg_det(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The determinant of square matrices."""
def linalg_eig(A: Tensor, *, out: Sequence[Tensor] | None = None) -> EigenvaluesEigenvectors:
    """Eigenvalues and eigenvectors of length 1 of square matrices; complex, in no order."""
def linalg_eigh(A: Tensor, UPLO: str = 'L', *, out: Sequence[Tensor] | None = None) -> EigenvaluesEigenvectors:
    """Eigenvalues, ascending, and orthonormal eigenvectors of Hermitian matrices, of which one triangle is read."""
def linalg_inv(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inverse of square matrices. Raises ``LinAlgError`` where there is none."""
def linalg_ldl_factor(A: Tensor, hermitian: bool = False, *, out: Sequence[Tensor] | None = None) -> LDPivots:
    """``A = L @ D @ L.mT`` (with `hermitian`, ``L.mH``) up to a permutation; D has blocks of one or two."""
def linalg_ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, hermitian: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The `X` of ``A @ X = B`` where `LD` and `pivots` are A's factors."""
def linalg_lu_factor(A: Tensor, pivot: bool = True, *, out: Sequence[Tensor] | None = None) -> LUPivots:
    """LU with partial pivoting in packed form: L, whose diagonal is 1, below the diagonal, U on it and above."""
def linalg_qr(A: Tensor, mode: Literal['reduced', 'complete', 'r'] = 'reduced', *, out: Sequence[Tensor] | None = None) -> QR:
    """``A = Q @ R`` with orthonormal columns in Q and an upper triangular R."""
def linalg_slogdet(A: Tensor, *, out: Sequence[Tensor] | None = None) -> SignLogabsdet:
    """The sign of the determinant, a number of absolute value 1 (or 0), and the logarithm of its absolute value."""
def linalg_solve_triangular(A: Tensor, B: Tensor, upper: bool, left: bool = True, unitriangular: bool = False, *,
                            out: Tensor | None = None) -> Tensor:
    """The `X` of ``A @ X = B`` (or ``X @ A = B``) for a triangular A, of which only that triangle is read."""
def linalg_svd(A: Tensor, full_matrices: bool = True, driver: str | None = None, *, out: Sequence[Tensor] | None = None) -> USVh:
    """``A = U @ diag(S) @ Vh`` with orthonormal columns in U, orthonormal rows in Vh, and S descending."""
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None, *, out: Tensor | None = None) -> Tensor:
    """The layer ``input @ weight.T + bias``."""
def log(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Natural logarithm; -inf at zero, nan below."""
def log10(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Logarithm to base 10."""
def log1p(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log(1 + x)``, exact for small x."""
def log2(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Logarithm to base 2."""
def log_ndtr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log(ndtr(x))`` without underflow."""
def log_softmax(input: Tensor, dim: int, dtype: dtype | None = None, *, axis: int | None = None,
                out: Tensor | None = None) -> Tensor:
    """``log(softmax(x))`` along `dim`, without overflow or underflow."""
def logaddexp(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log(exp(input) + exp(other))`` without overflow."""
def logaddexp2(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log2(2**input + 2**other)`` without overflow."""
def logcumsumexp(input: Tensor, dim: int, *, axis: int | None = None, out: Tensor | None = None) -> Tensor:
    """log of the cumulative sum of exp(x) along `dim`, computed so that it does not overflow."""
def logical_and(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether both are nonzero."""
def logical_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether each element is zero."""
def logical_or(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether one or both are nonzero."""
def logical_xor(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether exactly one is nonzero."""
def logit(input: Tensor, eps: float | None = None, *, out: Tensor | None = None) -> Tensor:
    """``log(x / (1 - x))``, with x first brought into ``[eps, 1 - eps]`` where `eps` is given."""
def logsigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log(sigmoid(x))`` without overflow."""
def logsumexp(input: Tensor, dim: IntOrInts, keepdim: bool = False, *, axis: IntOrInts | None = None,
              keepdims: bool | None = None, out: Tensor | None = None) -> Tensor:
    """log(sum(exp(x))) over `dim` (an int or several), computed so that it does not overflow. -inf for no elements."""
def lt(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Elementwise ``input < other``."""
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor, *, out: Tensor | None = None) -> Tensor:
    """`input` with its elements where `mask` is True replaced by the first ones of `source`, in order."""
def matmul(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Matrix product ``input @ other``."""
def matrix_exp(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The exponential of square matrices: the sum of ``A**k / k!``."""
@overload
def max(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The largest element; with `dim`, the named tuple (values, indices) along it; with a tensor, the ..."""
@overload
def max(input: Tensor, dim: int, keepdim: bool = False, *, out: Sequence[Tensor] | None = None) -> ValuesIndices:
    """The largest element; with `dim`, the named tuple (values, indices) along it; with a tensor, the ..."""
@overload
def max(input: Tensor, *, axis: int, keepdims: bool = False, out: Sequence[Tensor] | None = None) -> ValuesIndices:
    """The largest element; with `dim`, the named tuple (values, indices) along it; with a tensor, the ..."""
@overload
def max(input: Tensor, dim: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The largest element; with `dim`, the named tuple (values, indices) along it; with a tensor, the ..."""
@overload
def max(input: Tensor, *, other: Tensor, out: Tensor | None = None) -> Tensor:
    """The largest element; with `dim`, the named tuple (values, indices) along it; with a tensor, the ..."""
def maximum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The larger of two elements; nan if one is. Equal ones get half the gradient each."""
def mean(input: Tensor, dim: IntOrInts | None = None, keepdim: bool = False, dtype: dtype | None = None, *,
         axis: IntOrInts | None = None, keepdims: bool | None = None, out: Tensor | None = None) -> Tensor:
    """Arithmetic mean over `dim` (an int, several, or None for all dimensions). An integer input needs a ..."""
@overload
def median(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The median of all elements; with `dim`, the named tuple (values, indices) along it."""
@overload
def median(input: Tensor, dim: int, keepdim: bool = False, *, out: Sequence[Tensor] | None = None) -> ValuesIndices:
    """The median of all elements; with `dim`, the named tuple (values, indices) along it."""
@overload
def median(input: Tensor, *, axis: int, keepdims: bool = False, out: Sequence[Tensor] | None = None) -> ValuesIndices:
    """The median of all elements; with `dim`, the named tuple (values, indices) along it."""
@overload
def min(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smallest element; with `dim`, the named tuple (values, indices) along it; with a tensor, the ..."""
@overload
def min(input: Tensor, dim: int, keepdim: bool = False, *, out: Sequence[Tensor] | None = None) -> ValuesIndices:
    """The smallest element; with `dim`, the named tuple (values, indices) along it; with a tensor, the ..."""
@overload
def min(input: Tensor, *, axis: int, keepdims: bool = False, out: Sequence[Tensor] | None = None) -> ValuesIndices:
    """The smallest element; with `dim`, the named tuple (values, indices) along it; with a tensor, the ..."""
@overload
def min(input: Tensor, dim: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smallest element; with `dim`, the named tuple (values, indices) along it; with a tensor, the ..."""
@overload
def min(input: Tensor, *, other: Tensor, out: Tensor | None = None) -> Tensor:
    """The smallest element; with `dim`, the named tuple (values, indices) along it; with a tensor, the ..."""
def minimum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smaller of two elements; nan if one is. Equal ones get half the gradient each."""
def mm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Product of two matrices, ``(n, k)`` and ``(k, m)``; raises ``RuntimeError`` for any other shapes."""
def mode(input: Tensor, dim: int = -1, keepdim: bool = False, *, axis: int | None = None, keepdims: bool | None = None,
         out: Sequence[Tensor] | None = None) -> ValuesIndices:
    """The most frequent value along `dim`, the smallest of those that tie, and the index of its last occurrence."""
def modified_bessel_k0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The modified Bessel function of the second kind of order 0."""
def modified_bessel_k1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The modified Bessel function of the second kind of order 1."""
def mul(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Elementwise product ``input * other``."""
def mv(input: Tensor, vec: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Product of a matrix ``(n, k)`` and a vector ``(k,)``."""
def nan_to_num(input: Tensor, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None, *,
               out: Tensor | None = None) -> Tensor:
    """`input` with nan, +inf and -inf replaced; None stands for 0, the largest and the smallest finite number."""
def nanmean(input: Tensor, dim: IntOrInts | None = None, keepdim: bool = False, *, dtype: DTypeLike | None = None,
            axis: IntOrInts | None = None, keepdims: bool | None = None, out: Tensor | None = None) -> Tensor:
    """Arithmetic mean over `dim` of the elements that are not NaN; NaN where there are none."""
@overload
def nanmedian(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """:func:`median` of the elements that are not NaN."""
@overload
def nanmedian(input: Tensor, dim: int, keepdim: bool = False, *, out: Sequence[Tensor] | None = None) -> ValuesIndices:
    """:func:`median` of the elements that are not NaN."""
@overload
def nanmedian(input: Tensor, *, axis: int, keepdims: bool = False, out: Sequence[Tensor] | None = None) -> ValuesIndices:
    """:func:`median` of the elements that are not NaN."""
def nanquantile(input: Tensor, q: float | Tensor, dim: int | None = None, keepdim: bool = False, *, interpolation: str = 'linear',
                axis: int | None = None, keepdims: bool | None = None, out: Tensor | None = None) -> Tensor:
    """:func:`quantile` of the elements that are not NaN."""
def nansum(input: Tensor, dim: IntOrInts | None = None, keepdim: bool = False, dtype: dtype | None = None, *,
           axis: IntOrInts | None = None, keepdims: bool | None = None, out: Tensor | None = None) -> Tensor:
    """Sum over `dim` in which NaN counts as zero."""
def narrow_copy(input: Tensor, dim: int, start: int | Tensor, length: int, *, out: Tensor | None = None) -> Tensor:
    """A copy of what :func:`narrow` gives, in memory of its own."""
def ndtr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The probability that a standard normal variable is below x."""
def ndtri(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inverse of :func:`ndtr`."""
def ne(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Elementwise ``input != other``."""
def neg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Elementwise ``-input``. Raises ``RuntimeError`` for booleans."""
def nextafter(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The next floating-point number after `input` in the direction of `other`."""
def norm(input: Tensor, p: float | str | None = 'fro', dim: IntOrInts | None = None, keepdim: bool = False,
         out: Tensor | None = None, dtype: DTypeLike | None = None, *, axis: IntOrInts | None = None,
         keepdims: bool | None = None) -> Tensor:
    """The `p`-norm over `dim`, or of all elements. ``"fro"`` is the 2-norm, ``"nuc"`` the sum of a matrix's ..."""
def outer(input: Tensor | Number, vec2: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """The matrix of all products of an element of `input` with an element of `vec2`."""
def permute(input: Tensor, dims: Sequence[int], *, out: Tensor | None = None) -> Tensor:
    """A copy of what :func:`permute` gives, in memory of its own."""
def polar(abs: Tensor, angle: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The complex tensor with the given sizes and angles (in radians)."""
def prod(input: Tensor, dim: IntOrInts | None = None, keepdim: bool = False, dtype: dtype | None = None, *,
         axis: IntOrInts | None = None, keepdims: bool | None = None, out: Tensor | None = None) -> Tensor:
    """Product over `dim` (an int, or None for all). Integers and booleans give int64."""
def quantile(input: Tensor, q: float | Tensor, dim: int | None = None, keepdim: bool = False, *, interpolation: str = 'linear',
             axis: int | None = None, keepdims: bool | None = None, out: Tensor | None = None) -> Tensor:
    """The values below which the fractions `q` of the elements lie, over `dim` or all; NaN if there is a NaN."""
def rad2deg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Radians to degrees."""
def reciprocal(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Elementwise ``1 / input``."""
def relu(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``max(x, 0)``; its derivative at 0 is 0."""
def relu_(self: Tensor) -> Tensor:
    """In-place form of :func:`relu`: writes the result into the tensor and returns it."""
def remainder(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """What ``input // other`` leaves, with the sign of `other`, as Python's ``%``."""
def reshape(input: Tensor, shape: Sequence[int], *, out: Tensor | None = None) -> Tensor:
    """`input` with another shape; a view where the memory allows it, else a copy. One size may be -1, to be ..."""
def roll(input: Tensor, shifts: IntOrInts, dims: IntOrInts | None = (), *, out: Tensor | None = None) -> Tensor:
    """`input` with elements moved `shifts` places along `dims`, those pushed out coming in at the other end."""
def round(input: Tensor, decimals: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Rounded to `decimals` places after the point (before it, if negative); halves go to the even neighbour."""
def rsqrt(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Elementwise ``1 / sqrt(input)``."""
def rsub(input: Tensor, other: Tensor | Number, alpha: Number = 1, *, out: Tensor | None = None) -> Tensor:
    """Elementwise ``other - alpha * input``; what ``2 - x`` calls."""
def scaled_modified_bessel_k0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``exp(x) * modified_bessel_k0(x)``."""
def scaled_modified_bessel_k1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``exp(x) * modified_bessel_k1(x)``."""
def select(input: Tensor, dim: int, index: int | Tensor, *, out: Tensor | None = None) -> Tensor:
    """A copy of what :func:`select` gives, in memory of its own."""
def selu_(self: Tensor) -> Tensor:
    """In-place form of :func:`selu`: writes the result into the tensor and returns it."""
def sgn(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The sign of real numbers; of a complex one, the number of length 1 in its direction (0 for 0)."""
def sigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The logistic function ``1 / (1 + exp(-x))``."""
def sign(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """-1, 0 or 1. Raises ``RuntimeError`` for complex numbers, whose :func:`sgn` it would be."""
def signbit(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether the sign bit is set: True for negative numbers and -0."""
def sin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Sine of an angle in radians."""
def sinc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``sin(pi x) / (pi x)``, and 1 at 0."""
def sinh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Hyperbolic sine."""
def softmax(input: Tensor, dim: int, dtype: dtype | None = None, *, axis: int | None = None, out: Tensor | None = None) -> Tensor:
    """``exp(x)`` along `dim`, divided by its sum there: positive numbers that sum to 1."""
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0, *, out: Tensor | None = None) -> Tensor:
    """``log(1 + exp(beta * x)) / beta``, a smooth relu; x itself where ``beta * x > threshold``."""
def softshrink(input: Tensor, lambd: float = 0.5, *, out: Tensor | None = None) -> Tensor:
    """x moved by `lambd` towards 0, and 0 where it is nearer than that."""
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False, *, axis: int | None = None,
         out: Sequence[Tensor] | None = None) -> ValuesIndices:
    """The elements in order along `dim`, and where each was: a named tuple (values, indices)."""
def spherical_bessel_j0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``sin(x) / x``, 1 at 0."""
def split_copy(tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0, *,
               out: Sequence[Tensor] | None = None) -> tuple[Tensor, ...]:
    """A copy of what :func:`split` gives, in memory of its own."""
def split_with_sizes(tensor: Tensor, split_sizes: Sequence[int], dim: int = 0, *, axis: int | None = None,
                     out: Sequence[Tensor] | None = None) -> tuple[Tensor, ...]:
    """`tensor` cut along `dim` into pieces of the sizes `split_sizes`, which are views."""
def sqrt(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Elementwise square root; nan below zero."""
def square(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Elementwise ``input * input``; booleans give int64."""
def squeeze(input: Tensor, dim: IntOrInts | None = None, *, axis: IntOrInts | None = None, out: Tensor | None = None) -> Tensor:
    """A copy of what :func:`squeeze` gives, in memory of its own."""
def stack(tensors: Sequence[Tensor], dim: int = 0, *, axis: int | None = None, out: Tensor | None = None) -> Tensor:
    """`tensors`, all of one shape, joined along a new dimension `dim`."""
def std(input: Tensor, dim: IntOrInts | None = None, unbiased: bool | None = None, keepdim: bool = False, *,
        correction: int | None = None, axis: IntOrInts | None = None, keepdims: bool | None = None,
        out: Tensor | None = None) -> Tensor:
    """Standard deviation over `dim`: the square root of :func:`var`, with the same arguments."""
def std_mean(input: Tensor, dim: IntOrInts | None = None, unbiased: bool | None = None, keepdim: bool = False, *,
             correction: int | None = None, axis: IntOrInts | None = None, keepdims: bool | None = None) -> tuple[Tensor, Tensor]:
    """The pair of :func:`std` and :func:`mean`."""
def sub(input: Tensor | Number, other: Tensor | Number, alpha: Number = 1, *, out: Tensor | None = None) -> Tensor:
    """Elementwise ``input - alpha * other``. Raises ``RuntimeError`` for booleans: ``~mask`` inverts a mask."""
def sum(input: Tensor, dim: IntOrInts | None = None, keepdim: bool = False, dtype: dtype | None = None, *,
        axis: IntOrInts | None = None, keepdims: bool | None = None, out: Tensor | None = None) -> Tensor:
    """Sum over `dim` (an int, several, or None for all dimensions). Integers and booleans give int64."""
def t_copy(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A copy of what :func:`t` gives, in memory of its own."""
def tan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Tangent of an angle in radians."""
def tanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Hyperbolic tangent."""
def tanhshrink(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``x - tanh(x)``."""
def threshold(input: Tensor, threshold: float, value: float, *, out: Tensor | None = None) -> Tensor:
    """x where it is above `threshold`, else `value`."""
def threshold_(self: Tensor, threshold: float, value: float) -> Tensor:
    """In-place form of :func:`threshold`: writes the result into the tensor and returns it."""
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True, *, axis: int | None = None,
         out: Sequence[Tensor] | None = None) -> ValuesIndices:
    """The `k` largest elements along `dim` (the smallest if not `largest`), in order, and their indices."""
def trace(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The sum of the diagonal of a matrix."""
def transpose(input: Tensor, dim0: int, dim1: int, *, out: Tensor | None = None) -> Tensor:
    """A copy of what :func:`transpose` gives, in memory of its own."""
def tril(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The elements on and below the diagonal `diagonal` of each matrix in the last two dimensions; zero above it."""
def triu(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The elements on and above the diagonal `diagonal` of each matrix in the last two dimensions; zero below it."""
def true_divide(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Elementwise quotient ``input / other``; integers give the default floating type."""
def trunc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Each element without its fraction, in the dtype of `input`."""
def unbind(input: Tensor, dim: int = 0, *, axis: int | None = None, out: Sequence[Tensor] | None = None) -> tuple[Tensor, ...]:
    """A copy of what :func:`unbind` gives, in memory of its own."""
def unfold(input: Tensor, dimension: int, size: int, step: int, *, out: Tensor | None = None) -> Tensor:
    """A copy of what :func:`unfold` gives, in memory of its own."""
def unsqueeze(input: Tensor, dim: int, *, axis: int | None = None, out: Tensor | None = None) -> Tensor:
    """A copy of what :func:`unsqueeze` gives, in memory of its own."""
def var(input: Tensor, dim: IntOrInts | None = None, unbiased: bool | None = None, keepdim: bool = False, *,
        correction: int | None = None, axis: IntOrInts | None = None, keepdims: bool | None = None,
        out: Tensor | None = None) -> Tensor:
    """Variance over `dim`: the sum of squared distances from the mean, divided by ``n - correction``."""
def var_mean(input: Tensor, dim: IntOrInts | None = None, unbiased: bool | None = None, keepdim: bool = False, *,
             correction: int | None = None, axis: IntOrInts | None = None, keepdims: bool | None = None) -> tuple[Tensor, Tensor]:
    """The pair of :func:`var` and :func:`mean`."""
def vdot(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Like :func:`dot`, with the first vector conjugated."""
def vector_norm(x: Tensor, ord: float = 2, dim: IntOrInts | None = None, keepdim: bool = False, dtype: dtype | None = None, *,
                axis: IntOrInts | None = None, keepdims: bool | None = None, out: Tensor | None = None) -> Tensor:
    """The `ord`-norm over `dim` of the elements as a vector: ``sum(abs(x) ** ord) ** (1 / ord)``."""
def view_as_complex(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A copy of what :func:`view_as_complex` gives, in memory of its own."""
def view_as_real(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A copy of what :func:`view_as_real` gives, in memory of its own."""
def view_copy(input: Tensor, *shape: int | Sequence[int] | DTypeLike, dtype: DTypeLike | None = None,
              out: Tensor | None = None) -> Tensor:
    """A copy of what :func:`view` gives, in memory of its own."""
def xlog1py(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """``input * log1p(other)``, and 0 where `input` is 0 unless `other` is nan."""
def xlogy(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """``input * log(other)``, and 0 where `input` is 0 unless `other` is nan."""
def zeta(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Hurwitz' zeta function, the sum of ``(k + other)**-input`` over k >= 0; differentiable in `other`."""
