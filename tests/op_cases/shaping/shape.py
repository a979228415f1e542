"""Cases of the operations in ``minigrad/ops/shaping/shape.py``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minigrad._types import dtypes
from tests.op_cases import Bad, OpCase, arrays, dims, f, sample, shapes
from tests.op_cases.shaping.slicing import IOOB, of_shape


@st.composite
def regrouped(draw: Any) -> Any:
    """A shape, and another with as many elements; perhaps with a -1."""
    factors = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    cut, other = draw(st.integers(0, len(factors))), draw(st.permutations(factors))
    shape = (math.prod(factors[:cut]), *factors[cut:])
    new = list(other) if draw(st.booleans()) else [math.prod(other[:2]), *other[2:]]
    if draw(st.booleans()):
        new[draw(st.integers(0, len(new) - 1))] = -1
    return draw(sample(arrays(shape), shape=tuple(new)))


RESHAPES = [((f(),), {"shape": (1, 1)}), ((f(2, 0),), {"shape": (0, 3)}), ((f(1),), {"shape": ()}),
            ((f(0, 3),), {"shape": (-1, 3)})]
BAD_RESHAPES = [Bad((f(2, 3),), {"shape": (4, 2)}, RuntimeError, r"shape '\[4, 2\]' is invalid for input of size 6"),
                Bad((f(2, 3),), {"shape": (-1, -1)}, RuntimeError, "only one dimension can be inferred"),
                Bad((f(2, 3),), {"shape": (-2, 3)}, RuntimeError, "invalid shape dimension -2"),
                Bad((f(0, 3),), {"shape": (-1, 0)}, RuntimeError, "ambiguous")]


@st.composite
def expanded(draw: Any) -> Any:
    """An array and a size that it can be expanded to, -1 for some sizes that stay."""
    shape = draw(shapes())
    size = [draw(st.integers(0, 3)) if n == 1 else -1 if draw(st.booleans()) else n for n in shape]
    return draw(sample(arrays(shape), size=(*draw(shapes(max_dims=2)), *size)))


@st.composite
def summed(draw: Any) -> Any:
    shape = draw(shapes())
    size = [1 if draw(st.booleans()) else n for n in shape]
    return draw(sample(arrays(shape), size=tuple(size[draw(st.integers(0, len(size))):])))


def sum_to(input: Any, size: Any) -> Any:
    out = np.zeros(size)
    for place in np.ndindex(input.shape):
        kept = place[len(place) - len(size):]
        out[tuple([k if n > 1 else 0 for k, n in zip(kept, size)])] += input[place]
    return out


CASES = {
    "reshape": OpCase(regrouped(), lambda input, shape: np.reshape(input, shape), analytic=True, complex=True, examples=RESHAPES,
                      bad=BAD_RESHAPES),
    "reshape_copy": OpCase(regrouped(), lambda input, shape: np.reshape(input, shape), analytic=True, complex=True,
                           examples=RESHAPES, bad=BAD_RESHAPES),
    # A view is asked of memory that has it in order; tests/test_views.py shows that it is refused elsewhere.
    "view_shape": OpCase(
        sample(arrays((6,)), shape=st.sampled_from([(2, 3), (6, 1), (-1,), (3, -1)])),
        lambda input, shape: np.reshape(input, shape), analytic=True, complex=True, examples=RESHAPES[1:], bad=BAD_RESHAPES),
    "view_dtype": OpCase(
        sample(arrays((2, 4)), dtype=st.sampled_from([dtypes.float64, dtypes.int64])),
        lambda input, dtype: np.frombuffer(input.tobytes(), dtype.numpy).reshape(input.shape),
        examples=[((f(2, 3),), {"dtype": dtypes.int64})], underivable="the bits of a number have no slope",
        bad=[Bad((f(2, 3),), {"dtype": dtypes.complex128}, RuntimeError, r"self.size\(-1\) must be divisible by 2"),
             Bad((f(),), {"dtype": dtypes.int32}, RuntimeError, r"self.dim\(\) cannot be 0"),
             Bad((f(2, 2).T,), {"dtype": dtypes.int32}, RuntimeError, r"self.stride\(-1\) must be 1"),
             Bad((f(3)[1:],), {"dtype": dtypes.complex128}, RuntimeError, r"self.storage_offset\(\) must be divisible by 2"),
             Bad((f(2, 3)[:, :2],), {"dtype": dtypes.complex128}, RuntimeError, r"self.stride\(0\) must be divisible by 2")]),
    "squeeze": OpCase(
        of_shape(lambda s: {"dim": dims(len(s), several=True)}),
        lambda input, dim: np.squeeze(input, None if dim is None else tuple(
            [d for d in (dim if isinstance(dim, tuple) else (dim,)) if input.ndim and input.shape[d] == 1])),
        analytic=True, complex=True, bad=[Bad((f(1, 2),), {"dim": 2}, IndexError, "squeeze: " + IOOB)]),
    "unsqueeze": OpCase(of_shape(lambda s: {"dim": dims(len(s) + 1, none=False)}), lambda input, dim: np.expand_dims(input, dim),
                        analytic=True, complex=True, bad=[Bad((f(2),), {"dim": 2}, IndexError, "unsqueeze: " + IOOB)]),
    "expand": OpCase(
        expanded(), lambda input, size: np.broadcast_to(input, tuple(
            [input.shape[d - len(size) + input.ndim] if n == -1 else n for d, n in enumerate(size)])),
        analytic=True, complex=True,
        bad=[Bad((f(2, 3),), {"size": (4, 3)}, RuntimeError, r"expand: the expanded size \[4, 3\] must match the existing size"),
             Bad((f(2, 3),), {"size": (3,)}, RuntimeError, "at least as many dimensions")]),
    "sum_to_size": OpCase(summed(), sum_to, analytic=True, complex=True,
                          bad=[Bad((f(2, 3),), {"size": (3, 3)}, RuntimeError, "is not expandable to size")]),
    "repeat": OpCase(
        of_shape(lambda s: {"repeats": st.tuples(*[st.integers(0, 3)] * (len(s) + 1))}, max_dims=2),
        lambda input, repeats: np.tile(input, repeats), analytic=True, complex=True, examples=[((f(2, 3),), {"repeats": (2, 2)})],
        bad=[Bad((f(2, 3),), {"repeats": (2,)}, RuntimeError, "can not be smaller than number of dimensions"),
             Bad((f(2),), {"repeats": (-1,)}, RuntimeError, "negative dimension")]),
    "copy_in_order": OpCase(sample(arrays()), np.array, analytic=True, complex=True),
    "constant_full": OpCase(sample(arrays(), size=shapes(max_dims=2), value=st.sampled_from([0, 2])),
                            lambda input, size, value: np.full(size, float(value))),
    "permute": OpCase(
        of_shape(lambda s: {"dims": st.permutations(range(len(s))).map(lambda p: tuple([d - len(s) * (d % 2) for d in p]))}),
        lambda input, dims: np.transpose(input, dims), analytic=True, complex=True,
        bad=[Bad((f(2, 3),), {"dims": (0,)}, RuntimeError, r"is not equal to len\(dims\) = 1"),
             Bad((f(2, 3),), {"dims": (1, -1)}, RuntimeError, "dim 1 appears multiple times"),
             Bad((f(2, 3),), {"dims": (0, 2)}, IndexError, "permute: " + IOOB)]),
    "transpose": OpCase(
        of_shape(lambda s: {"dim0": dims(len(s), none=False), "dim1": dims(len(s), none=False)}),
        lambda input, dim0, dim1: np.swapaxes(input, dim0, dim1) if input.ndim else input, analytic=True, complex=True,
        bad=[Bad((f(2, 3),), {"dim0": 0, "dim1": 2}, IndexError, "transpose: " + IOOB)]),
    "flip": OpCase(of_shape(lambda s: {"dims": dims(len(s), several=True, none=False) if s else ()}),
                   lambda input, dims: np.flip(input, dims), analytic=True, complex=True,
                   bad=[Bad((f(2, 3),), {"dims": (0, 0)}, RuntimeError, "dim 0 appears multiple times"),
                        Bad((f(2, 3),), {"dims": (2,)}, IndexError, "flip: " + IOOB)]),
    "roll": OpCase(
        st.one_of(of_shape(lambda s: {"shifts": st.integers(-5, 5)}),
                  of_shape(lambda s: {"shifts": st.tuples(st.integers(-5, 5), st.integers(-5, 5)), "dims": (0, -1)}, min_dims=1)),
        lambda input, shifts, dims=None: np.roll(input, shifts, dims), analytic=True, complex=True,
        bad=[Bad((f(2, 3),), {"shifts": (1, 2), "dims": (0,)}, RuntimeError, "shifts and dimensions must align"),
             Bad((f(2),), {"shifts": ()}, RuntimeError, "`shifts` required"),
             Bad((f(),), {"shifts": 1, "dims": 0}, IndexError, "roll: Dimension specified as 0")]),
}
