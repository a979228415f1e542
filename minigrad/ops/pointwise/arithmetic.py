"""Arithmetic on each element by itself: sums, products, quotients, signs, rounding and complex numbers, with their derivatives.

Operands are broadcast together and brought to one dtype by PyTorch's rules; Python numbers may stand on either side. Where
a function has several forms (``div`` by its rounding), each form is an operation and a plain function of PyTorch's name chooses.
At a kink the derivative is the subgradient PyTorch documents, and a piecewise constant function has the derivative zero.
"""

from __future__ import annotations

import builtins
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._arrays import choice
from minigrad._types import dtypes, layouts
from minigrad._types.dtypes import as_dtype
from minigrad._types.tensor_base import unwrap
from minigrad.errors import DivisionByZeroError, DtypeError, RuntimeValueError, ShapeError, UnsupportedDtypeError
from minigrad.recording.inplace import with_inplace
from minigrad.recording.op import op

if TYPE_CHECKING:
    from minigrad._types.annotations import Number, Tensor
    from minigrad._types.dtypes import dtype

__all__ = ["abs", "absolute", "add", "addcdiv", "addcmul", "angle", "ceil", "complex", "conj", "conj_physical", "copysign",
           "div", "divide", "fix", "floor", "floor_divide", "fmod", "frac", "heaviside", "hypot", "imag", "lerp", "mul",
           "multiply", "neg", "negative", "nextafter", "polar", "positive", "real", "reciprocal", "remainder", "round",
           "rsqrt", "rsub", "sgn", "sign", "signbit", "sqrt", "square", "sub", "subtract", "true_divide", "trunc",
           "view_as_complex", "view_as_real"]


# ---------------------------------------------------------------------------------------------------- helpers

def with_number(input: Any, *numbers: Any) -> Any:
    """`input` in the common dtype of itself and the Python numbers `numbers`, of which some may be None."""
    array = unwrap(input)
    if array.dtype.kind == "f" and not any([n.__class__ is builtins.complex for n in numbers]):
        return input
    wanted = dtypes.result_dtype([array, *numbers])
    return input if array.dtype is wanted.numpy else cast(input, dtype=wanted)


def require_real(name: str, *arrays: Any) -> None:
    """Raise ``DtypeError`` if one of `arrays` is complex; those that are None are left out."""
    for x in arrays:
        if x is not None and x.dtype.kind == "c":
            raise UnsupportedDtypeError(f"{name} is not supported for complex tensors, which have no order; it takes real "
                                        "numbers, such as their .abs() or .real")


def require_integers(name: str, *arrays: Any) -> None:
    """Raise ``DtypeError`` unless all `arrays` hold integers or booleans."""
    for x in arrays:
        if x.dtype.kind not in "iub":
            raise UnsupportedDtypeError(f"\"{name}\" not implemented for {dtypes.FROM_NUMPY[x.dtype]!r}; it takes integers and "
                                        "booleans")


def refuse_zero(other: Any) -> None:
    """Raise for the division of integers by zero, and for rounded quotients of booleans or complex numbers."""
    if other.dtype.kind in "bc":
        raise UnsupportedDtypeError(f"not implemented for {dtypes.FROM_NUMPY[other.dtype]!r}; convert the tensors first, or use "
                                    "true_divide")
    if other.dtype.kind in "iu" and not np.all(other):
        raise DivisionByZeroError("ZeroDivisionError: integer division by zero; floating-point tensors give inf or nan instead")


# ---------------------------------------------------------------------------------------------------- dtype and zeros

@op(holomorphic=False, grad_name="ToCopyBackward0", called="to", bfloat16=True)
def cast(input: Any, *, dtype: dtype) -> Any:
    """`input` converted to `dtype`. Every change of dtype, promotion included, is recorded as this operation."""
    if input.__class__ is not np.ndarray:
        _arrays.refuse_bfloat16(_arrays.library_of(input), dtype.numpy)
    return layouts.convert(input.real if input.dtype.kind == "c" and dtype.kind not in "cb" else input, dtype.numpy)
@cast.derivative("input")
def cast_wrt_input(g: Any, input_dtype: Any) -> Any: return cast(g, dtype=as_dtype(input_dtype))


@op(differentiable=False)
def zeros_of(input: Any) -> Any:
    """Zeros in the shape and dtype of `input`: the derivative of what is piecewise constant."""
    return np.zeros_like(input)


@op(broadcasts=True, dtypes="any", discrete=("mask",))
def apply_mask(input: Any, mask: Any) -> Any:
    """`input` where `mask` is True, and 0 elsewhere, whatever `input` holds there. ``input * mask`` would keep its nan and
    inf."""
    return choice.masked(input, mask)
@apply_mask.derivative("input")
def apply_mask_wrt_input(g: Any, mask: Any) -> Any: return apply_mask(g, mask)


# ---------------------------------------------------------------------------------------------------- arithmetic

@op(broadcasts=True, numbers_alone=True, opmath="numbers")
def mul(input: Any, other: Any) -> Any:
    """Elementwise product ``input * other``."""
    return input * other
@mul.derivative("input")
def mul_wrt_input(g: Any, other: Any) -> Any: return g * other
@mul.derivative("other")
def mul_wrt_other(g: Any, input: Any) -> Any: return g * input


@op(broadcasts=True, numbers_alone=True, opmath="numbers", former=("input", "alpha", "other"))
def add(input: Any, other: Any, *, alpha: Number = 1) -> Any:
    """Elementwise ``input + alpha * other``."""
    return input + other if alpha == 1 else input + scale_other(other, alpha)
@add.derivative("input")
def add_wrt_input(g: Any) -> Any: return g
@add.derivative("other")
def add_wrt_other(g: Any, alpha: Any) -> Any: return g if alpha == 1 else g * alpha


@op(broadcasts=True, numbers_alone=True, opmath="numbers", former=("input", "alpha", "other"))
def sub(input: Any, other: Any, *, alpha: Number = 1) -> Any:
    """Elementwise ``input - alpha * other``. Raises ``RuntimeError`` for booleans: ``~mask`` inverts a mask."""
    refuse_bool("Subtraction", input)
    return input - other if alpha == 1 else input - scale_other(other, alpha)
@sub.derivative("input")
def sub_wrt_input(g: Any) -> Any: return g
@sub.derivative("other")
def sub_wrt_other(g: Any, alpha: Any) -> Any: return -g if alpha == 1 else g * -alpha


@op(broadcasts=True, numbers=("other",), opmath=True)
def rsub(input: Any, other: Any, *, alpha: Number = 1) -> Any:
    """Elementwise ``other - alpha * input``; what ``2 - x`` calls."""
    refuse_bool("Subtraction", input)
    return other - input if alpha == 1 else other - scale_other(input, alpha)
@rsub.derivative("input")
def rsub_wrt_input(g: Any, alpha: Any) -> Any: return -g if alpha == 1 else g * -alpha
@rsub.derivative("other")
def rsub_wrt_other(g: Any) -> Any: return g


def scale_other(other: Any, alpha: Any) -> Any:
    """``alpha * other`` in the dtype of `other`."""
    if type(alpha) is float and other.dtype.kind in "iub":
        raise DtypeError("For integral input tensors, argument alpha must not be a floating point number; got "
                         f"alpha={alpha} with {dtypes.FROM_NUMPY[other.dtype]!r}")
    if type(alpha) is bool and other.dtype.kind != "b":
        raise DtypeError("Boolean alpha only supported for Boolean results; use alpha=1 or alpha=0")
    return other & bool(alpha) if other.dtype.kind == "b" else other * alpha


def refuse_bool(what: str, x: Any) -> None:
    """Raise for the subtraction of booleans, which PyTorch refuses too."""
    if x.dtype.kind == "b":
        raise DtypeError(f"{what}, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, "
                         "use the `~` or `logical_not()` operator instead.")


@op(broadcasts=True, numbers_alone=True, dtypes="float", grad_name="DivBackward0")
def true_divide(input: Any, other: Any) -> Any:
    """Elementwise quotient ``input / other``; integers give the default floating type."""
    return input / other
@true_divide.derivative("input")
def true_divide_wrt_input(g: Any, other: Any) -> Any: return g / other
@true_divide.derivative("other")
def true_divide_wrt_other(g: Any, input: Any, other: Any) -> Any: return -g * (input / other / other)


@op(broadcasts=True, numbers_alone=True)
def floor_divide(input: Any, other: Any) -> Any:
    """``input / other`` rounded down, in the dtype of the operands. Raises ``RuntimeError`` for an integer zero divisor."""
    refuse_zero(other)
    return np.floor_divide(input, other)
@floor_divide.derivative("input")
def floor_divide_wrt_input(g: Any) -> Any: return zeros_of(g)
@floor_divide.derivative("other")
def floor_divide_wrt_other(g: Any) -> Any: return zeros_of(g)


@op(broadcasts=True, numbers_alone=True, called="div")
def trunc_divide(input: Any, other: Any) -> Any:
    """``input / other`` rounded towards zero, in the dtype of the operands."""
    refuse_zero(other)
    return np.trunc(input / other) if input.dtype.kind not in "iub" else quotient_towards_zero(input, other)
@trunc_divide.derivative("input")
def trunc_divide_wrt_input(g: Any) -> Any: return zeros_of(g)
@trunc_divide.derivative("other")
def trunc_divide_wrt_other(g: Any) -> Any: return zeros_of(g)


def quotient_towards_zero(a: Any, b: Any) -> Any:
    down = np.floor_divide(a, b)
    return down + ((down < 0) & (down * b != a)).astype(down.dtype)


@with_inplace
def div(input: Tensor, other: Tensor | Number, *, rounding_mode: str | None = None, out: Tensor | None = None) -> Tensor:
    """Elementwise quotient.

    Args:
        rounding_mode: None for the true quotient, ``"trunc"`` to round towards zero as C does, ``"floor"`` to round down as
            Python's ``//`` does; the rounded forms keep integers.

    >>> import minigrad
    >>> minigrad.div(minigrad.tensor([7, -7]), 2, rounding_mode="floor")
    tensor([ 3, -4])
    """
    if rounding_mode is None:
        return true_divide(input, other, out=out)
    if rounding_mode == "floor":
        return floor_divide(input, other, out=out)
    if rounding_mode == "trunc":
        return trunc_divide(input, other, out=out)
    raise RuntimeValueError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'")


@op(broadcasts=True)
def remainder(input: Any, other: Any) -> Any:
    """What ``input // other`` leaves, with the sign of `other`, as Python's ``%``."""
    refuse_zero(other)
    return np.remainder(input, other)
@remainder.derivative("input")
def remainder_wrt_input(g: Any) -> Any: return g
@remainder.derivative("other")
def remainder_wrt_other(g: Any, input: Any, other: Any) -> Any: return -g * floor_divide(input, other)


@op(broadcasts=True, numbers=("other",))
def fmod(input: Any, other: Any) -> Any:
    """What the division rounded towards zero leaves, with the sign of `input`, as C's ``fmod``."""
    refuse_zero(other)
    return np.fmod(input, other)
@fmod.derivative("input")
def fmod_wrt_input(g: Any) -> Any: return g
@fmod.derivative("other")
def fmod_wrt_other(g: Any, input: Any, other: Any) -> Any: return -g * trunc_divide(input, other)


@op
def neg(input: Any) -> Any:
    """Elementwise ``-input``. Raises ``RuntimeError`` for booleans."""
    refuse_bool("Negation", input)
    return -input
@neg.derivative("input")
def neg_wrt_input(g: Any) -> Any: return -g


def positive(input: Tensor) -> Tensor:
    """`input` itself. Raises ``RuntimeError`` for booleans."""
    if unwrap(input).dtype.kind == "b":
        raise DtypeError("The `+` operator, on a bool tensor is not supported; convert it with .to(minigrad.int64)")
    return input


@op(dtypes="float")
def reciprocal(input: Any) -> Any:
    """Elementwise ``1 / input``."""
    return 1 / input
@reciprocal.derivative("input")
def reciprocal_wrt_input(g: Any, out: Any) -> Any: return -g * out * out


@op(opmath=True)
def square(input: Any) -> Any:
    """Elementwise ``input * input``; booleans give int64."""
    x = input.astype(np.int64) if input.dtype.kind == "b" else input
    return x * x
@square.derivative("input")
def square_wrt_input(g: Any, input: Any) -> Any: return g * (2 * input)


@op(dtypes="float")
def sqrt(input: Any) -> Any:
    """Elementwise square root; nan below zero."""
    return np.sqrt(input)
@sqrt.derivative("input")
def sqrt_wrt_input(g: Any, out: Any) -> Any: return g / (2 * out)


@op(dtypes="float")
def rsqrt(input: Any) -> Any:
    """Elementwise ``1 / sqrt(input)``."""
    return 1 / np.sqrt(input)
@rsqrt.derivative("input")
def rsqrt_wrt_input(g: Any, out: Any) -> Any: return -0.5 * g * (out * out * out)


# ---------------------------------------------------------------------------------------------------- size and sign

@op(holomorphic=False)
def abs(input: Any) -> Any:
    """Absolute value; of a complex number, its distance from zero."""
    return np.abs(input)
@abs.derivative("input")
def abs_wrt_input(g: Any, input: Any) -> Any: return g * sgn(input)


@op
def sign(input: Any) -> Any:
    """-1, 0 or 1. Raises ``RuntimeError`` for complex numbers, whose :func:`sgn` it would be."""
    if input.dtype.kind == "c":
        raise UnsupportedDtypeError("Unlike NumPy, torch.sign doesn't allow for complex tensors. Use sgn() instead.")
    return signs(input)
@sign.derivative("input")
def sign_wrt_input(g: Any) -> Any: return zeros_of(g)


@op(holomorphic=False)
def sgn(input: Any) -> Any:
    """The sign of real numbers; of a complex one, the number of length 1 in its direction (0 for 0)."""
    return np.sign(input) if input.dtype.kind == "c" else signs(input)
@sgn.derivative("input")
def sgn_wrt_input(g: Any, input: Any, out: Any) -> Any:
    if input.dtype.kind != "c":
        return zeros_of(g)
    return apply_mask((g - real(g * conj(out)) * out) / abs(input), input != 0)


def signs(x: Any) -> Any:
    """-1, 0 or 1 in the dtype of `x`; 0 for nan, as in PyTorch."""
    return x.copy() if x.dtype.kind == "b" else (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)


@op(differentiable=False)
def signbit(input: Any) -> Any:
    """Whether the sign bit is set: True for negative numbers and -0."""
    require_real("signbit", input)
    return np.signbit(input) if input.dtype.kind == "f" else input < 0


@op(broadcasts=True, dtypes="float", numbers=("other",))
def copysign(input: Any, other: Any) -> Any:
    """The size of `input` with the sign of `other`, which -0 has too."""
    return np.copysign(input, other)
@copysign.derivative("input")
def copysign_wrt_input(g: Any, input: Any, out: Any) -> Any: return apply_mask(g * out / input, input != 0)
@copysign.derivative("other")
def copysign_wrt_other(g: Any) -> Any: return zeros_of(g)


@op(broadcasts=True, numbers=(), opmath=True)
def hypot(input: Any, other: Any) -> Any:
    """``sqrt(input**2 + other**2)`` without overflow."""
    return np.hypot(input, other)
@hypot.derivative("input")
def hypot_wrt_input(g: Any, input: Any, out: Any) -> Any: return g * (input / out)
@hypot.derivative("other")
def hypot_wrt_other(g: Any, other: Any, out: Any) -> Any: return g * (other / out)


@op(broadcasts=True, dtypes="same")
def heaviside(input: Any, values: Any) -> Any:
    """The step function: 0 below zero, `values` at zero, 1 above."""
    require_real("heaviside", input)
    return np.where(input == 0, values, (input > 0).astype(input.dtype))
@heaviside.derivative("input")
def heaviside_wrt_input(g: Any) -> Any: return zeros_of(g)
@heaviside.derivative("values")
def heaviside_wrt_values(g: Any, input: Any) -> Any: return apply_mask(g, input == 0)


@op(broadcasts=True, numbers=(), bfloat16=True)
def nextafter(input: Any, other: Any) -> Any:
    """The next floating-point number after `input` in the direction of `other`."""
    return np.nextafter(input, other)
@nextafter.derivative("input")
def nextafter_wrt_input(g: Any) -> Any: return g
@nextafter.derivative("other")
def nextafter_wrt_other(g: Any) -> Any: return zeros_of(g)


# ---------------------------------------------------------------------------------------------------- combinations

@op(broadcasts=True, numbers=("weight",), opmath=True)
def lerp(input: Any, end: Any, weight: Any) -> Any:
    """Linear interpolation ``input + weight * (end - input)``; `weight` is a tensor or a number."""
    return np.where(np.abs(weight) < 0.5, input + weight * (end - input), end - (end - input) * (1 - weight))
@lerp.derivative("input")
def lerp_wrt_input(g: Any, weight: Any) -> Any: return g * (1 - weight)
@lerp.derivative("end")
def lerp_wrt_end(g: Any, weight: Any) -> Any: return g * weight
@lerp.derivative("weight")
def lerp_wrt_weight(g: Any, input: Any, end: Any) -> Any: return g * (end - input)


@op(broadcasts=True, numbers=(), opmath=True, former=("input", "value", "tensor1", "tensor2"))
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Number = 1) -> Any:
    """``input + value * tensor1 * tensor2``."""
    return input + scale_other(tensor1 * tensor2, value)
@addcmul.derivative("input")
def addcmul_wrt_input(g: Any) -> Any: return g
@addcmul.derivative("tensor1")
def addcmul_wrt_tensor1(g: Any, tensor2: Any, value: Any) -> Any: return g * (tensor2 * value)
@addcmul.derivative("tensor2")
def addcmul_wrt_tensor2(g: Any, tensor1: Any, value: Any) -> Any: return g * (tensor1 * value)


@op(broadcasts=True, numbers=(), opmath=True, former=("input", "value", "tensor1", "tensor2"))
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Number = 1) -> Any:
    """``input + value * tensor1 / tensor2``, of floating-point tensors."""
    refuse_integer_quotient(input)
    return input + value * (tensor1 / tensor2)
@addcdiv.derivative("input")
def addcdiv_wrt_input(g: Any) -> Any: return g
@addcdiv.derivative("tensor1")
def addcdiv_wrt_tensor1(g: Any, tensor2: Any, value: Any) -> Any: return g * (value / tensor2)
@addcdiv.derivative("tensor2")
def addcdiv_wrt_tensor2(g: Any, tensor1: Any, tensor2: Any, value: Any) -> Any: return g * (-value * tensor1 / tensor2**2)


def refuse_integer_quotient(x: Any) -> None:
    if x.dtype.kind in "iub":
        raise RuntimeValueError("Integer division with addcdiv is no longer supported; convert a tensor with .float(), or write "
                                "input + value * minigrad.div(tensor1, tensor2, rounding_mode='trunc')")


# ---------------------------------------------------------------------------------------------------- rounding

@op
def floor(input: Any) -> Any:
    """The largest integer not above each element, in the dtype of `input`."""
    return input.copy() if input.dtype.kind in "iu" else np.floor(input)
@floor.derivative("input")
def floor_wrt_input(g: Any) -> Any: return zeros_of(g)


@op
def ceil(input: Any) -> Any:
    """The smallest integer not below each element, in the dtype of `input`."""
    return input.copy() if input.dtype.kind in "iu" else np.ceil(input)
@ceil.derivative("input")
def ceil_wrt_input(g: Any) -> Any: return zeros_of(g)


@op
def trunc(input: Any) -> Any:
    """Each element without its fraction, in the dtype of `input`."""
    return input.copy() if input.dtype.kind in "iu" else np.trunc(input)
@trunc.derivative("input")
def trunc_wrt_input(g: Any) -> Any: return zeros_of(g)


@op
def frac(input: Any) -> Any:
    """The fraction of each element, with its sign."""
    return input - np.trunc(input)
@frac.derivative("input")
def frac_wrt_input(g: Any) -> Any: return g


@op(opmath=True)
def round(input: Any, *, decimals: int = 0) -> Any:
    """Rounded to `decimals` places after the point (before it, if negative); halves go to the even neighbour."""
    require_real("round", input)
    return np.rint(input) if decimals == 0 and input.dtype.kind == "f" else round_array(input, decimals)
@round.derivative("input")
def round_wrt_input(g: Any) -> Any: return zeros_of(g)


def round_array(x: Any, decimals: int) -> Any:
    """`x` rounded to `decimals` places."""
    if x.dtype.kind in "iu":
        if decimals:
            raise UnsupportedDtypeError(f"\"round\" not implemented for integers with decimals={decimals}; convert with .float()")
        return x.copy()
    scale = x.dtype.type(10.0 ** builtins.abs(decimals))
    return np.rint(x * scale) / scale if decimals > 0 else np.rint(x / scale) * scale


# ---------------------------------------------------------------------------------------------------- complex numbers

@op(holomorphic=False, grad_name="ConjBackward0", called="conj")
def conjugate(input: Any) -> Any:
    """Complex conjugate."""
    return np.conjugate(input)
@conjugate.derivative("input")
def conjugate_wrt_input(g: Any) -> Any: return conjugate(g)


def conj(input: Tensor) -> Tensor:
    """Complex conjugate; a real tensor is returned as it is."""
    return conjugate(input) if input.dtype.kind == "c" else input


@with_inplace
def conj_physical(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Same as :func:`conj`, which computes its values at once too.

    >>> import minigrad
    >>> minigrad.conj_physical(minigrad.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    return conj(input) if out is None else conjugate(input, out=out)


@op(holomorphic=False, view=True, grad_name="RealBackward0", called="real")
def real_part(input: Any) -> Any:
    """The real part, a view."""
    return input.real
@real_part.derivative("input")
def real_part_wrt_input(g: Any, input_dtype: Any) -> Any: return cast(g, dtype=as_dtype(input_dtype))


def real(input: Tensor) -> Tensor:
    """The real part, a view; a real tensor is returned as it is."""
    return real_part(input) if input.dtype.kind == "c" else input


@op(holomorphic=False, view=True)
def imag(input: Any) -> Any:
    """The imaginary part, a view. Raises ``RuntimeError`` for real tensors."""
    if input.dtype.kind != "c":
        raise DtypeError("imag is not implemented for tensors with non-complex dtypes.")
    return input.imag
@imag.derivative("input")
def imag_wrt_input(g: Any) -> Any: return g * 1j


@op(holomorphic=False, dtypes="float")
def angle(input: Any) -> Any:
    """The angle of complex numbers, in radians; of real ones 0 or, below zero, pi."""
    return np.arctan2(input.imag, input.real) if input.dtype.kind == "c" else angle_of_real(input)
@angle.derivative("input")
def angle_wrt_input(g: Any, input: Any) -> Any:
    return zeros_of(g) if input.dtype.kind != "c" else apply_mask(g * 1j / conj(input), input != 0)


def angle_of_real(x: Any) -> Any:
    return np.where(np.isnan(x), x, (x < 0) * x.dtype.type(math.pi))


@op(broadcasts=True, dtypes="same", holomorphic=False, layout="elementwise")
def complex(real: Any, imag: Any) -> Any:
    """The complex tensor of two floating-point tensors of one dtype."""
    require_floats(real)
    return make_complex(real, imag)
@complex.derivative("real")
def complex_wrt_real(g: Any) -> Any: return real(g)
@complex.derivative("imag")
def complex_wrt_imag(g: Any) -> Any: return imag(g)


@op(broadcasts=True, dtypes="same", holomorphic=False, layout="elementwise")
def polar(abs: Any, angle: Any) -> Any:
    """The complex tensor with the given sizes and angles (in radians)."""
    require_floats(abs)
    return make_complex(abs * np.cos(angle), abs * np.sin(angle))
@polar.derivative("abs")
def polar_wrt_abs(g: Any, out: Any) -> Any: return real(conj(g) * sgn(out))
@polar.derivative("angle")
def polar_wrt_angle(g: Any, out: Any) -> Any: return real(conj(g) * (out * 1j))


def require_floats(x: Any) -> None:
    """Raise ``DtypeError`` unless `x` is real and floating."""
    if x.dtype.kind != "f":
        raise DtypeError(f"Expected both inputs to be Half, Float or Double tensors but got {dtypes.FROM_NUMPY[x.dtype]!r}")


def make_complex(real: Any, imag: Any) -> Any:
    """The complex array with these real and imaginary parts."""
    real = _arrays.as_array(real)
    z = np.empty(np.broadcast_shapes(real.shape, imag.shape), np.result_type(real.dtype, np.complex64), like=real)
    z.real[...], z.imag[...] = real, imag
    return z


@op(holomorphic=False, view=True)
def view_as_real(input: Any) -> Any:
    """A complex tensor as a real one with a last dimension of 2: real and imaginary part. A view."""
    if input.dtype.kind != "c":
        raise DtypeError("view_as_real is only supported for complex tensors")
    return input[..., None].view(input.real.dtype)
@view_as_real.derivative("input")
def view_as_real_wrt_input(g: Any) -> Any: return complex(g[..., 0], g[..., 1])


@op(holomorphic=False, view=True)
def view_as_complex(input: Any) -> Any:
    """A real tensor whose last dimension holds real and imaginary part as a complex one. A view.

    Raises ``RuntimeError`` where the two do not lie next to each other in memory.
    """
    refuse_what_is_no_pairs(input)
    return input.view(np.result_type(input.dtype, np.complex64))[..., 0]
@view_as_complex.derivative("input")
def view_as_complex_wrt_input(g: Any) -> Any: return view_as_real(g)


def refuse_what_is_no_pairs(x: Any) -> None:
    """Raise unless the array `x` can be seen as complex numbers, each a pair in its last dimension."""
    if x.dtype.char not in "fd":
        raise DtypeError(f"view_as_complex is only supported for float and double tensors; got {dtypes.FROM_NUMPY[x.dtype]!r}")
    if not x.ndim:
        raise ShapeError("Input tensor must have one or more dimensions")
    if x.shape[-1] != 2:
        raise ShapeError(f"Tensor must have a last dimension of size 2; got shape {list(x.shape)}")
    steps = [s // x.itemsize for s in x.strides]
    if x.size and steps[-1] != 1:
        raise ShapeError(f"Tensor must have a last dimension with stride 1, but got {steps}; contiguous() is a copy that has")
    if x.size and any(s % 2 for s in steps[:-1]):
        raise ShapeError(f"Tensor must have a stride divisible by 2 for all but last dimension, but got {steps}; contiguous() is "
                         "a copy that has")


# ---------------------------------------------------------------------------------------------------- second names

absolute, divide, fix = abs, div, trunc
multiply, negative, subtract = mul, neg, sub
