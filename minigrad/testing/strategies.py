"""Hypothesis strategies that draw shapes and tensors, for tests of functions that take tensors.

Hypothesis (https://hypothesis.readthedocs.io) is imported when a strategy is first asked for.
"""

from __future__ import annotations

import importlib
from typing import Any, Callable

import numpy as np

from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad.errors import ArgumentError, missing_extra
from minigrad.ops import creation

__all__ = ["broadcastable", "shapes", "tensors"]


def hypothesis(module: str) -> Any:
    """A module of hypothesis. Raises ``ImportError`` that says how to install it."""
    try:
        return importlib.import_module(f"hypothesis.{module}")
    except ImportError:
        raise missing_extra("minigrad.testing.strategies", "hypothesis", "testing") from None


def shapes(min_dims: int = 0, max_dims: int = 3, min_side: int = 1, max_side: int = 4) -> Any:
    """A strategy of shapes: tuples of `min_dims` to `max_dims` sizes from `min_side` to `max_side`. ``min_side=0`` draws empty
    tensors too."""
    st = hypothesis("strategies")
    return st.lists(st.integers(min_side, max_side), min_size=min_dims, max_size=max_dims).map(tuple)


def broadcastable(count: int = 2, max_dims: int = 3, max_side: int = 4) -> Any:
    """A strategy of tuples of `count` shapes that broadcast together: sizes replaced by 1, leading dimensions left out."""
    st = hypothesis("strategies")

    def one(full: tuple[int, ...]) -> Any:
        sides = [st.sampled_from(sorted({1, n})) for n in full]
        return st.tuples(st.integers(0, len(full)), st.tuples(*sides)).map(lambda drawn: drawn[1][drawn[0]:])

    return shapes(max_dims=max_dims, max_side=max_side).flatmap(lambda full: st.tuples(*[one(full) for _ in range(count)]))


def tensors(shape: Any = None, dtype: dtypes.dtype = dtypes.float64, *, min_value: float = -3.0, max_value: float = 3.0,
            requires_grad: bool | None = None, where: Callable[[Any], Any] | None = None, noncontiguous: bool = True) -> Any:
    """A strategy of tensors.

    Args:
        shape: a tuple, a strategy of tuples, or None for any of :func:`shapes`.
        min_value, max_value: of the elements, both included; of both parts of complex ones.
        requires_grad: by default as the dtype allows.
        where: takes a NumPy array of the elements and returns the array to use, to keep away from kinks and out of the
            function's bounds, for instance ``lambda a: a + 0.1 * np.sign(a)``.
        noncontiguous: draw transposed, strided and reversed layouts too.

    >>> from hypothesis import given
    >>> from minigrad.testing import assert_gradients_match, broadcastable, tensors
    >>> @given(tensors(), tensors(()))
    ... def test_scaling(x, factor):
    ...     assert_gradients_match(lambda x, factor: x * factor, x, factor)
    """
    st = hypothesis("strategies")
    if not min_value <= max_value:
        raise ArgumentError(f"tensors(): min_value must not be greater than max_value, got {min_value} and {max_value}")
    wanted = dtype.kind in "fc" if requires_grad is None else requires_grad
    sizes = shapes() if shape is None else st.just(tuple(shape)) if isinstance(shape, (tuple, list)) else shape

    layouts = ["plain", "strided", "transposed", "reversed"] if noncontiguous else ["plain"]

    def build(draw: Any) -> Tensor:  # composite, so that a counterexample is shown as the tensor that it is
        array = values(draw(sizes), draw(st.integers(0, 2**32 - 1)))
        if where is not None:
            array = np.asarray(where(array))
        return arrange(array.astype(dtype.numpy), draw(st.sampled_from(layouts)))

    def values(size: tuple[int, ...], seed: int) -> Any:
        rng = np.random.default_rng(seed)
        if dtype.kind == "b":
            return rng.random(size) < 0.5
        if dtype.kind in "iu":
            low = max(int(min_value), 0) if dtype.kind == "u" else int(min_value)
            return rng.integers(low, int(max_value), size, endpoint=True)
        part = rng.uniform(min_value, max_value, size)
        return part + 1j * rng.uniform(min_value, max_value, size) if dtype.kind == "c" else np.asarray(part)

    def arrange(array: Any, layout: str) -> Tensor:
        if layout == "strided" and array.ndim:
            wide = np.repeat(array, 2, axis=-1)
            array = wide[..., ::2]
        elif layout == "transposed" and array.ndim > 1:
            array = np.ascontiguousarray(array.T).T
        elif layout == "reversed" and array.ndim:
            array = array[::-1].copy()[::-1]
        t: Tensor = creation.from_numpy(array)
        return t.requires_grad_() if wanted else t

    return st.composite(build)()
