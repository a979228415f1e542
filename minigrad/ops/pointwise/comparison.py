"""Comparing, logic and bits, and choosing between elements by a condition or by size, with their derivatives.

Where two elements tie, or at the bounds of :func:`clamp`, the derivative is the one PyTorch documents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from minigrad._arrays import choice
from minigrad._types import dtypes
from minigrad._types.dtypes import as_dtype
from minigrad._types.tensor_base import unwrap
from minigrad.errors import DtypeError, RuntimeValueError, UnsupportedDtypeError
from minigrad.ops.pointwise.arithmetic import apply_mask, cast, require_integers, require_real, with_number, zeros_of
from minigrad.recording import watching
from minigrad.recording.call import SCALARS, number
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.inplace import with_inplace
from minigrad.recording.op import op

if TYPE_CHECKING:
    from minigrad._types.annotations import Number, Tensor

__all__ = ["allclose", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
           "bitwise_xor", "clamp", "clamp_max", "clamp_min", "clip", "eq", "equal", "fmax", "fmin", "gcd", "ge", "greater",
           "greater_equal", "gt", "isclose", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "lcm", "le",
           "less", "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor", "lt", "maximum", "minimum",
           "nan_to_num", "ne", "not_equal", "where"]


# ---------------------------------------------------------------------------------------------------- comparison

@op(broadcasts=True, differentiable=False, numbers=("other",))
def eq(input: Any, other: Any) -> Any:
    """Elementwise ``input == other``."""
    return input == other


@op(broadcasts=True, differentiable=False, numbers=("other",))
def ne(input: Any, other: Any) -> Any:
    """Elementwise ``input != other``."""
    return input != other


@op(broadcasts=True, differentiable=False, numbers=("other",))
def lt(input: Any, other: Any) -> Any:
    """Elementwise ``input < other``."""
    require_real("lt", input)
    return input < other


@op(broadcasts=True, differentiable=False, numbers=("other",))
def le(input: Any, other: Any) -> Any:
    """Elementwise ``input <= other``."""
    require_real("le", input)
    return input <= other


@op(broadcasts=True, differentiable=False, numbers=("other",))
def gt(input: Any, other: Any) -> Any:
    """Elementwise ``input > other``."""
    require_real("gt", input)
    return input > other


@op(broadcasts=True, differentiable=False, numbers=("other",))
def ge(input: Any, other: Any) -> Any:
    """Elementwise ``input >= other``."""
    require_real("ge", input)
    return input >= other


@op(broadcasts=True, dtypes="same", differentiable=False, opmath=True)
def isclose(input: Any, other: Any, *, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether ``|input - other| <= atol + rtol * |other|``; an infinity is close to itself only, nan to nan if `equal_nan`."""
    if rtol < 0 or atol < 0:
        raise RuntimeValueError(f"rtol and atol must not be negative; got rtol={rtol}, atol={atol}")
    same = (input == other) | (np.isnan(input) & np.isnan(other) if equal_nan else False)
    return same | within_tolerance(input, other, rtol, atol) if rtol or atol else same


def within_tolerance(a: Any, b: Any, rtol: float, atol: float) -> Any:
    """Where `a` is within the tolerance of a finite `b`."""
    if a.dtype.kind in "iu":  # the unsigned integers have every distance, and it is right where the difference wraps around
        unsigned = f"u{a.dtype.itemsize}"
        difference = np.where(a > b, a.astype(unsigned) - b.astype(unsigned), b.astype(unsigned) - a.astype(unsigned))
    else:
        difference = a ^ b if a.dtype.kind == "b" else np.abs(a - b)
    return np.isfinite(b) & (difference <= float(atol) + np.abs(float(rtol) * b))


def all_true(x: Any) -> bool:
    """Whether all elements of `x`, a tensor or an array, are True."""
    if watching.count:
        watching.show_read(unwrap(x))
    return bool(unwrap(x).all())


@on_device_of_inputs
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether all elements are close, by :func:`isclose`."""
    return all_true(isclose(input, other, rtol, atol, equal_nan))


@on_device_of_inputs
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and elements."""
    return tuple(input.shape) == tuple(other.shape) and all_true(eq(input, other))


@op(differentiable=False)
def isnan(input: Any) -> Any:
    """Whether each element is nan."""
    return np.isnan(input)


@op(differentiable=False)
def isinf(input: Any) -> Any:
    """Whether each element is infinite."""
    return np.isinf(input)


@op(differentiable=False)
def isfinite(input: Any) -> Any:
    """Whether each element is neither infinite nor nan."""
    return np.isfinite(input)


@op(differentiable=False)
def isposinf(input: Any) -> Any:
    """Whether each element is +inf."""
    require_real("isposinf", input)
    return np.isinf(input) & (input > 0)


@op(differentiable=False)
def isneginf(input: Any) -> Any:
    """Whether each element is -inf."""
    require_real("isneginf", input)
    return np.isinf(input) & (input < 0)


@op(differentiable=False)
def isreal(input: Any) -> Any:
    """Whether each element is a real number: its imaginary part is 0."""
    return input.imag == 0


# ---------------------------------------------------------------------------------------------------- logic and bits

@op(broadcasts=True, dtypes="any", differentiable=False)
def logical_and(input: Any, other: Any) -> Any:
    """Whether both are nonzero."""
    if input.__class__ is not np.ndarray:
        input, other = truth(input), truth(other)
    return np.logical_and(input, other)


@op(broadcasts=True, dtypes="any", differentiable=False)
def logical_or(input: Any, other: Any) -> Any:
    """Whether one or both are nonzero."""
    if input.__class__ is not np.ndarray:
        input, other = truth(input), truth(other)
    return np.logical_or(input, other)


@op(broadcasts=True, dtypes="any", differentiable=False)
def logical_xor(input: Any, other: Any) -> Any:
    """Whether exactly one is nonzero."""
    if input.__class__ is not np.ndarray:
        input, other = truth(input), truth(other)
    return np.logical_xor(input, other)


@op(differentiable=False)
def logical_not(input: Any) -> Any:
    """Whether each element is zero."""
    return np.logical_not(input if input.__class__ is np.ndarray else truth(input))


def truth(x: Any) -> Any:
    """What is nonzero where `x` is, and not complex, which CuPy's logical functions do not take."""
    return x != 0 if x.dtype.kind == "c" else x


@op(broadcasts=True, differentiable=False)
def bitwise_and(input: Any, other: Any) -> Any:
    """Bits set in both; for booleans, the logical and."""
    require_integers("bitwise_and", input)
    return input & other


@op(broadcasts=True, differentiable=False)
def bitwise_or(input: Any, other: Any) -> Any:
    """Bits set in one or both; for booleans, the logical or."""
    require_integers("bitwise_or", input)
    return input | other


@op(broadcasts=True, differentiable=False)
def bitwise_xor(input: Any, other: Any) -> Any:
    """Bits set in exactly one; for booleans, the logical exclusive or."""
    require_integers("bitwise_xor", input)
    return input ^ other


@op(differentiable=False)
def bitwise_not(input: Any) -> Any:
    """All bits inverted; for booleans, the logical not."""
    require_integers("bitwise_not", input)
    return ~input


@op(broadcasts=True, differentiable=False)
def bitwise_left_shift(input: Any, other: Any) -> Any:
    """``input * 2**other`` by shifting bits."""
    require_numbers_to_shift("bitwise_left_shift", input)
    return input << other


@op(broadcasts=True, differentiable=False)
def bitwise_right_shift(input: Any, other: Any) -> Any:
    """``input // 2**other`` by shifting bits; negative numbers stay negative."""
    require_numbers_to_shift("bitwise_right_shift", input)
    return input >> other


def require_numbers_to_shift(name: str, input: Any) -> None:
    """Raise unless `input` holds integers; a truth value has no bits to shift."""
    require_integers(name, input)
    if input.dtype.kind == "b":
        raise UnsupportedDtypeError(f"\"{name}\" not implemented for minigrad.bool; convert it with .int()")


@op(broadcasts=True, differentiable=False, numbers=())
def gcd(input: Any, other: Any) -> Any:
    """Greatest common divisor of integers; never negative."""
    require_integers("gcd", input)
    return np.gcd(input, other)


@op(broadcasts=True, differentiable=False, numbers=())
def lcm(input: Any, other: Any) -> Any:
    """Least common multiple of integers; never negative."""
    require_integers("lcm", input)
    return np.lcm(input, other)


# ---------------------------------------------------------------------------------------------------- choosing

@op(broadcasts=True, numbers=())
def maximum(input: Any, other: Any) -> Any:
    """The larger of two elements; nan if one is. Equal ones get half the gradient each."""
    require_real("maximum", input)
    return np.maximum(input, other)
@maximum.derivative("input")
def maximum_wrt_input(g: Any, input: Any, other: Any) -> Any: return winner_share(g, input < other, input <= other)
@maximum.derivative("other")
def maximum_wrt_other(g: Any, input: Any, other: Any) -> Any: return winner_share(g, other < input, other <= input)


@op(broadcasts=True, numbers=())
def minimum(input: Any, other: Any) -> Any:
    """The smaller of two elements; nan if one is. Equal ones get half the gradient each."""
    require_real("minimum", input)
    return np.minimum(input, other)
@minimum.derivative("input")
def minimum_wrt_input(g: Any, input: Any, other: Any) -> Any: return winner_share(g, input > other, input >= other)
@minimum.derivative("other")
def minimum_wrt_other(g: Any, input: Any, other: Any) -> Any: return winner_share(g, other > input, other >= input)


def winner_share(g: Any, loses: Any, loses_or_draws: Any) -> Any:
    """The part of the gradient `g` that an operand of a maximum gets: 0 where it loses, half in a draw, all where it wins or one
    of both is nan."""
    dtype = as_dtype(g.dtype)
    return apply_mask(g, ~loses) * (1 - 0.5 * cast(loses_or_draws, dtype=dtype))


@op(broadcasts=True, numbers=())
def fmax(input: Any, other: Any) -> Any:
    """The larger of two elements, or the one that is not nan."""
    require_real("fmax", input)
    return np.fmax(input, other)
@fmax.derivative("input")
def fmax_wrt_input(g: Any, input: Any, other: Any) -> Any: return apply_mask(g, (input >= other) | isnan(other))
@fmax.derivative("other")
def fmax_wrt_other(g: Any, input: Any, other: Any) -> Any: return apply_mask(g, ~((input >= other) | isnan(other)))


@op(broadcasts=True, numbers=())
def fmin(input: Any, other: Any) -> Any:
    """The smaller of two elements, or the one that is not nan."""
    require_real("fmin", input)
    return np.fmin(input, other)
@fmin.derivative("input")
def fmin_wrt_input(g: Any, input: Any, other: Any) -> Any: return apply_mask(g, (input <= other) | isnan(other))
@fmin.derivative("other")
def fmin_wrt_other(g: Any, input: Any, other: Any) -> Any: return apply_mask(g, ~((input <= other) | isnan(other)))


@op(grad_name="ClampBackward0", called="clamp")
def clamp_numbers(input: Any, *, min: Any = None, max: Any = None) -> Any:
    """`input` brought into the range of two Python numbers, either of which may be None."""
    return clamp_array(input, min, max)
@clamp_numbers.derivative("input")
def clamp_numbers_wrt_input(g: Any, input: Any, min: Any, max: Any) -> Any: return apply_mask(g, in_range(input, min, max))


@op(broadcasts=True, grad_name="ClampBackward0", numbers=("min", "max"), called="clamp")
def clamp_tensors(input: Any, min: Any = None, max: Any = None) -> Any:
    """`input` brought into the range of two tensors, either of which may be None; where min > max the result is max."""
    return clamp_array(input, min, max)
@clamp_tensors.derivative("input")
def clamp_tensors_wrt_input(g: Any, input: Any, min: Any, max: Any) -> Any: return apply_mask(g, in_range(input, min, max))
@clamp_tensors.derivative("min")
def clamp_tensors_wrt_min(g: Any, input: Any, min: Any, max: Any) -> Any: return apply_mask(g, below(input, min, max))
@clamp_tensors.derivative("max")
def clamp_tensors_wrt_max(g: Any, input: Any, min: Any, max: Any) -> Any: return apply_mask(g, above(input, min, max))


def clamp_array(x: Any, low: Any, high: Any) -> Any:
    """`x` clamped to the range from `low` to `high`, either of which may be None."""
    require_real("clamp", x)
    return choice.at_least(x, low) if high is None else choice.at_most(x, high) if low is None else np.clip(x, low, high)


def in_range(x: Any, low: Any, high: Any) -> Any:
    """Where `x` lies in the range; its ends belong to it."""
    return x <= high if low is None else x >= low if high is None else (x >= low) & (x <= high)


def below(x: Any, low: Any, high: Any) -> Any:
    """Where the lower bound decides the result. Where the bounds cross, it does not."""
    return x < low if high is None else (x < low) & (low < high)


def above(x: Any, low: Any, high: Any) -> Any:
    """Where the upper bound decides the result."""
    return x > high if low is None else (x > high) | (high < low)


@with_inplace
def clamp(input: Tensor, min: Tensor | Number | None = None, max: Tensor | Number | None = None, *,
          out: Tensor | None = None) -> Tensor:
    """`input` brought into the range from `min` to `max`: numbers, tensors that broadcast, or None for no bound.

    Raises ``RuntimeError`` where both bounds are None.

    >>> import minigrad
    >>> minigrad.clamp(minigrad.tensor([-2., 0.5, 3.]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise RuntimeValueError("clamp: At least one of 'min' or 'max' must not be None")
    if (min is None or isinstance(min, SCALARS)) and (max is None or isinstance(max, SCALARS)):
        return clamp_numbers(with_number(input, min, max), min=min, max=max, out=out)
    return clamp_tensors(input, min, max, out=out)


@with_inplace
def clamp_min(input: Tensor, min: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """`input`, but nowhere below `min`, a number or a tensor."""
    return clamp(input, min, out=out)


@with_inplace
def clamp_max(input: Tensor, max: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """`input`, but nowhere above `max`, a number or a tensor."""
    return clamp(input, max=max, out=out)


@op(broadcasts=True, discrete=("condition",), called="where", bfloat16=True)
def _where(condition: Any, input: Any, other: Any) -> Any:
    """`input` where `condition`, else `other`."""
    return choice.choose(condition, input, other)
@_where.derivative("input")
def _where_wrt_input(g: Any, condition: Any) -> Any: return apply_mask(g, condition)
@_where.derivative("other")
def _where_wrt_other(g: Any, condition: Any) -> Any: return apply_mask(g, ~condition)


@op(outputs=True, differentiable=False, called="where")
def where_nonzero(condition: Any) -> Any:
    """The positions of the nonzero elements: an index tensor for each dimension."""
    return np.nonzero(condition if condition.ndim else condition.reshape(1))


@overload
def where(condition: Tensor) -> tuple[Tensor, ...]: ...
@overload
def where(condition: Tensor, input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor: ...
def where(condition: Tensor, input: Tensor | Number | None = None, other: Tensor | Number | None = None, *,
          out: Tensor | None = None) -> Tensor | tuple[Tensor, ...]:
    """`input` where the boolean tensor `condition` is True, else `other`; broadcast together, numbers allowed.

    With `condition` alone: the positions where it is nonzero, as a tuple with an index tensor for each dimension.

    >>> import minigrad
    >>> x = minigrad.tensor([1., -2., 3.])
    >>> minigrad.where(x > 0, x, 0.)
    tensor([1., 0., 3.])
    """
    if input is None and other is None:
        return where_nonzero(condition)
    kind = unwrap(condition).dtype
    if kind.char == "B":
        condition = cast(condition, dtype=dtypes.bool_)
    elif kind.char != "?":
        raise DtypeError("where expected condition to be a boolean tensor, but got a tensor with dtype "
                         f"{dtypes.FROM_NUMPY[kind]!r}; write a comparison, such as condition != 0")
    if isinstance(other, SCALARS):
        if isinstance(input, SCALARS):
            input = fill_number(cast(condition, dtype=dtypes.result_dtype([input, other])), value=input)
        constant = number(input, other)  # the quick way, for floating tensors
        other = other if constant is None else constant
    return _where(condition, input, other) if out is None else _where(condition, input, other, out=out)


def replace_nonfinite(x: Any, nan: float, posinf: float | None, neginf: float | None) -> Any:
    """What NumPy does, also for bfloat16, whose largest number is less than that of float32."""
    if not dtypes.is_bfloat16(x.dtype):
        return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)
    most = dtypes.finfo(dtypes.bfloat16).max
    posinf, neginf = most if posinf is None else posinf, -most if neginf is None else neginf
    return np.nan_to_num(x.astype(np.float32), nan=nan, posinf=posinf, neginf=neginf).astype(x.dtype)


@op(bfloat16=True)
def nan_to_num(input: Any, *, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """`input` with nan, +inf and -inf replaced; None stands for 0, the largest and the smallest finite number."""
    return replace_nonfinite(input, nan or 0.0, posinf, neginf)
@nan_to_num.derivative("input")
def nan_to_num_wrt_input(g: Any, input: Any) -> Any: return apply_mask(g, isfinite(input))


@op(grad_name="FillBackward0", called="fill")
def fill_number(input: Any, *, value: Any) -> Any:
    """The Python number `value` in the shape and dtype of `input`."""
    return np.full_like(input, value)
@fill_number.derivative("input")
def fill_number_wrt_input(g: Any) -> Any: return zeros_of(g)


# ---------------------------------------------------------------------------------------------------- second names

clip = clamp
greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne
