"""Operations on each element by itself, and their derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.autograd.op import op
from minigrad.dtypes import as_dtype

__all__ = ["add", "cast", "conj", "exp", "mul"]


@op(broadcasts=True)
def mul(input: Any, other: Any) -> Any:
    """Elementwise product ``input * other``."""
    return input * other
@mul.derivative("input")
def mul_wrt_input(g: Any, other: Any) -> Any: return g * other
@mul.derivative("other")
def mul_wrt_other(g: Any, input: Any) -> Any: return g * input


@op(broadcasts=True)
def add(input: Any, other: Any) -> Any:
    """Elementwise sum ``input + other``."""
    return input + other
@add.derivative("input")
def add_wrt_input(g: Any) -> Any: return g
@add.derivative("other")
def add_wrt_other(g: Any) -> Any: return g


@op(dtypes="float")
def exp(input: Any) -> Any:
    """Elementwise e**x."""
    return np.exp(input)
@exp.derivative("input")
def exp_wrt_input(g: Any, out: Any) -> Any: return g * out


@op(holomorphic=False, grad_name="ToCopy")
def cast(input: Any, *, dtype: Any) -> Any:
    """`input` converted to `dtype`. Every change of dtype, promotion included, is recorded as this operation."""
    return (input.real if input.dtype.kind == "c" and dtype.kind != "c" else input).astype(dtype.numpy)
@cast.derivative("input")
def cast_wrt_input(g: Any, input_dtype: Any) -> Any: return cast(g, dtype=as_dtype(input_dtype))


@op(holomorphic=False)
def conj(input: Any) -> Any:
    """Complex conjugate; a real input is returned as it is."""
    return np.conjugate(input) if input.dtype.kind == "c" else input
@conj.derivative("input")
def conj_wrt_input(g: Any) -> Any: return conj(g)
