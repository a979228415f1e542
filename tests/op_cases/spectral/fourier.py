"""Cases of the operations in ``minigrad/ops/spectral/fourier.py``. The reference is the sum that defines the transform."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, arrays, f, sample, shapes

NORMS = st.sampled_from(["backward", "ortho", "forward"])
SIDES = shapes(min_dims=1, max_dims=3, min_side=1, max_side=5)


def some_dims(ndim: int) -> st.SearchStrategy[tuple[int, ...]]:
    """One or more dimensions in any order, some counted from the end."""
    chosen = st.permutations(range(ndim)).flatmap(lambda p: st.integers(1, ndim).map(lambda k: p[:k]))
    return st.tuples(chosen, st.booleans()).map(lambda drawn: tuple([d - ndim * drawn[1] for d in drawn[0]]))


def turned(shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    """Complex arrays."""
    return st.tuples(arrays(shape), arrays(shape)).map(lambda drawn: np.asarray(drawn[0] + 1j * drawn[1]))


def scale(n: int, norm: str, inverse: bool) -> float:
    return 1 / np.sqrt(n) if norm == "ortho" else 1 / n if inverse is (norm == "backward") else 1.0


def matrix(n: int, norm: str, inverse: bool = False) -> Any:
    """The matrix of the transform of `n` elements."""
    turns = np.outer(np.arange(n), np.arange(n)) / n
    return np.exp((2j if inverse else -2j) * np.pi * turns) * scale(n, norm, inverse)


def along(m: Any, x: Any, d: int) -> Any:
    return np.moveaxis(np.tensordot(m, x, (1, d)), 0, d)


def c2c(input: Any, dim: Any, norm: str = "backward", inverse: bool = False) -> Any:
    for d in dim:
        input = along(matrix(input.shape[d], norm, inverse), input, d)
    return input


def r2c(input: Any, dim: Any, norm: str = "backward", onesided: bool = True) -> Any:
    whole = c2c(input + 0j, dim, norm)
    return np.take(whole, np.arange(input.shape[dim[-1]] // 2 + 1), axis=dim[-1]) if onesided else whole


def c2r(input: Any, dim: Any, size: int, norm: str = "backward") -> Any:
    """The half completed by its conjugate, transformed; the imaginary part of what is its own conjugate does not count."""
    d = dim[-1] % input.ndim
    half = c2c(input, dim[:-1], norm, True)
    m = matrix(size, norm, True)[:, :size // 2 + 1]
    twice = np.where((np.arange(size // 2 + 1) > 0) & (np.arange(size // 2 + 1) < (size + 1) // 2), 2, 1)
    return along(m.real * twice, half.real, d) - along(m.imag * twice, half.imag, d)


def halves(shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    """Samples of :func:`fft_c2r`: the last transformed dimension of `shape` is the half of an even or odd size."""
    def make(drawn: tuple[tuple[int, ...], bool]) -> Any:
        dim, odd = drawn
        m = shape[dim[-1]]
        return sample(turned(shape), dim=dim, size=2 * m - 1 if odd or m == 1 else 2 * m - 2, norm=NORMS)
    return st.tuples(some_dims(len(shape)), st.booleans()).flatmap(make)


CASES = {
    "fft_c2c": OpCase(SIDES.flatmap(lambda s: sample(turned(s), dim=some_dims(len(s)), norm=NORMS, inverse=st.booleans())), c2c,
                      complex=True, bad=[Bad((f(2) + 0j,), {"dim": (1,)}, IndexError, r"fft: .*out of bounds")]),
    "fft_r2c": OpCase(SIDES.flatmap(lambda s: sample(arrays(s), dim=some_dims(len(s)), norm=NORMS, onesided=st.booleans())), r2c,
                      bad=[Bad((f(2),), {"dim": (-2,)}, IndexError, r"rfft: .*out of bounds")]),
    "fft_c2r": OpCase(SIDES.flatmap(halves), c2r, examples=[((f(1) + 1j,), {"dim": (0,), "size": 1}),
                                                            ((f(2) + 1j,), {"dim": (0,), "size": 2})]),
}
