"""What CuPy has compiled for GPUs ahead of time, on NumPy: sorting (Thrust) and random numbers (cuRAND).

Pointers are addresses in host memory, so NumPy can look at what is there.
"""

from __future__ import annotations

import ctypes
import math
from typing import Any, Sequence

import numpy as np

__all__ = ["bit_generators", "generators", "sorting"]


def at(address: int, dtype: Any, shape: Sequence[int]) -> np.ndarray[Any, Any]:
    """The array of this shape in C order that begins at `address`."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    return np.frombuffer((ctypes.c_char * size).from_address(address), dtype).reshape(shape)


def sorting() -> dict[str, Any]:
    """The module ``cupy.cuda.thrust``: sorts along the last dimension, NaNs at the end."""
    def sort(dtype: Any, data: int, keys: int, shape: Sequence[int]) -> None:
        at(data, dtype, shape).sort(axis=-1, kind="stable")

    def argsort(dtype: Any, index: int, data: int, keys: int, shape: Sequence[int]) -> None:
        values = at(data, dtype, shape)
        order = np.argsort(values, axis=-1, kind="stable")
        at(index, np.uintp, shape)[...] = order
        values[...] = np.take_along_axis(values, order, -1)

    def lexsort(dtype: Any, index: int, keys: int, count: int, n: int) -> None:
        at(index, np.uintp, (n,))[...] = np.lexsort(at(keys, dtype, (count, n)))

    return {"available": True, "get_build_version": lambda: 0, "sort": sort, "argsort": argsort, "lexsort": lexsort}


def bit_generators() -> dict[str, Any]:
    """The module ``cupy.random._bit_generator``."""
    class BitGenerator:
        def __init__(self, seed: Any = None, *, size: int = -1) -> None:
            self.stream = np.random.Generator(np.random.Philox(seed))

    class Philox4x3210(BitGenerator):
        pass

    class XORWOW(BitGenerator):
        pass

    class MRG32k3a(BitGenerator):
        pass

    return {c.__name__: c for c in (BitGenerator, Philox4x3210, XORWOW, MRG32k3a)}


def generators() -> dict[str, Any]:
    """The module ``cupy.random._generator_api``: the methods of CuPy's ``Generator`` that exist there, and no others."""
    import cupy

    def drawn(y: Any, dtype: Any = None) -> Any:
        return cupy.asarray(np.asarray(y) if dtype is None else np.asarray(y).astype(dtype))

    def host(x: Any) -> Any:
        return x.get() if isinstance(x, cupy.ndarray) else x

    class Generator:
        def __init__(self, bit_generator: Any) -> None:
            self.bit_generator, self._stream = bit_generator, bit_generator.stream

        def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
            return drawn(self._stream.random(size, "d" if np.dtype(dtype).char == "d" else "f"), dtype)

        def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None, dtype: Any = np.float64) -> Any:
            return drawn(self._stream.uniform(host(low), host(high), size), dtype)

        def integers(self, low: Any, high: Any = None, size: Any = None, dtype: Any = np.int64, endpoint: bool = False) -> Any:
            return drawn(self._stream.integers(low, high, size, endpoint=endpoint), dtype)

        def standard_normal(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
            return drawn(self._stream.standard_normal(size, "d" if np.dtype(dtype).char == "d" else "f"), dtype)

        def standard_exponential(self, size: Any = None, dtype: Any = np.float64, method: str = "inv", out: Any = None) -> Any:
            return drawn(self._stream.standard_exponential(size), dtype)

        def standard_gamma(self, shape: Any, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
            return drawn(self._stream.standard_gamma(host(shape), size), dtype)

        def exponential(self, scale: float = 1.0, size: Any = None) -> Any:
            return drawn(self._stream.exponential(host(scale), size))

        def geometric(self, p: Any, size: Any = None) -> Any:
            return drawn(self._stream.geometric(host(p), size), np.int64)

        def poisson(self, lam: Any = 1.0, size: Any = None) -> Any:
            return drawn(self._stream.poisson(host(lam), size), np.int64)

        def binomial(self, n: Any, p: Any, size: Any = None) -> Any:
            return drawn(self._stream.binomial(host(n), host(p), size), np.int64)

    class FeistelBijection:
        """For permutations; not emulated."""

    return {"Generator": Generator, "FeistelBijection": FeistelBijection}
