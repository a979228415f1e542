"""Tensors of random values for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad.errors import InvalidValueError
from minigrad.ops import creation, sampling
from minigrad.ops.pointwise import arithmetic, comparison

if TYPE_CHECKING:
    from minigrad._types.layouts import memory_format

__all__ = ["make_tensor"]


def make_tensor(*shape: Any, dtype: dtypes.dtype, device: Any = None, low: float | None = None, high: float | None = None,
                requires_grad: bool = False, noncontiguous: bool = False, exclude_zero: bool = False,
                memory_format: memory_format | None = None) -> Tensor:
    """A tensor of random values from ``[low, high)``.

    Args:
        shape: the sizes, as one sequence or one by one.
        low, high: by default -9 and 9 for floating and complex types (complex ones in both parts), -9 and 10 for signed
            integers, 0 and 10 for unsigned ones, 0 and 2 for booleans.
        noncontiguous: every second element of a larger tensor; does nothing for fewer than two elements.
        exclude_zero: zeros are replaced, by the smallest positive number or by 1.
        memory_format: in which order the elements lie in memory.

    Raises: ``ValueError`` for an empty range, and for a `memory_format` of a noncontiguous tensor; ``RuntimeError`` for integers
        that are to require grad.

    >>> import minigrad as mg
    >>> x = mg.testing.make_tensor(2, 3, dtype=mg.float32, low=0, high=1, requires_grad=True)
    >>> tuple(x.shape), bool(((x >= 0) & (x < 1)).all()), x.requires_grad
    ((2, 3), True, True)
    """
    size = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
    usual = {"b": (0, 2), "u": (0, 10), "i": (-9, 10), "f": (-9, 9), "c": (-9, 9)}[dtype.kind]
    low, high = usual[0] if low is None else low, usual[1] if high is None else high
    if not low < high:
        raise InvalidValueError(f"make_tensor: `low` must be less than `high`, but got {low} >= {high}")
    if noncontiguous and memory_format is not None:
        raise InvalidValueError(f"make_tensor: `noncontiguous` and `memory_format` are mutually exclusive, got {memory_format}")
    drawn = (*size[:-1], 2 * size[-1]) if noncontiguous and size else size
    if dtype.kind in "fc":
        part = dtype.to_real()
        x = sampling.rand(drawn, dtype=part, device=device) * (high - low) + low
        if dtype.is_complex:
            x = arithmetic.complex(x, sampling.rand(drawn, dtype=part, device=device) * (high - low) + low)
    else:
        x = sampling.randint(int(low), int(high), drawn, device=device).to(dtype)
    if exclude_zero:
        x = comparison.where(x == 0, creation.tensor(dtypes.finfo(dtype).tiny if dtype.kind in "fc" else 1, dtype=dtype), x)
    if drawn != size:
        x = x[..., ::2]
    if memory_format is not None:
        x = x.contiguous(memory_format=memory_format)
    result: Tensor = x.requires_grad_() if requires_grad else x
    return result
