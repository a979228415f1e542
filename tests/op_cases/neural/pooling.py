"""Pooling: against loops over every window."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, f
from tests.op_cases.neural.convolution import drawn, geometry, meetings, positions_of


def distinct(rng: Any, shape: Any) -> Any:
    """Values at least 0.02 apart, so that a small step changes no maximum."""
    return rng.permutation(int(np.prod(shape))).reshape(shape) / 20


def max_sample(rng: Any, ndim: int) -> Any:
    size, kernel, _, settings = geometry(rng, ndim, ceil=True, dilated=min(rng.integers(0, 2, 1)) > 0)
    if any(n == 1 for n in size):  # a dilated window could then miss the image altogether
        size, kernel, _, settings = geometry(rng, ndim, dilated=False)
    return (distinct(rng, (int(rng.integers(0, 3)), 2, *size)),), {**settings, "kernel": kernel}


def with_gradient(sample: Any) -> Any:
    """A sample of pooling after a gradient of what it gives."""
    (input,), settings = sample
    shape = max_indices(input, **settings).shape
    return (np.linspace(-1, 2, int(np.prod(shape))).reshape(shape), input), settings


def slope_sample(rng: Any, ndim: int) -> Any:
    return with_gradient(max_sample(rng, ndim))


def max_indices(input: Any, kernel: Any, **windows: Any) -> Any:
    size = input.shape[2:]
    positions = positions_of(size, kernel, **windows)
    best = np.full((*input.shape[:2], *positions), -np.inf)
    places = np.zeros(best.shape, np.int64)
    for _, p, i in meetings(size, kernel, positions, **windows):
        larger = input[i] > best[p]
        places[p] = np.where(larger, np.ravel_multi_index(i[1:], size), places[p])
        best[p] = np.maximum(best[p], input[i])
    return places


def take(input: Any, indices: Any) -> Any:
    out = np.zeros(indices.shape, input.dtype)
    for place in np.ndindex(*indices.shape):
        out[place] = input[place[:2]].flat[indices[place]]
    return out


def put(input: Any, indices: Any, size: Any) -> Any:
    out = np.zeros((*input.shape[:2], *size), input.dtype)
    for place in np.ndindex(*indices.shape):
        out[place[:2]].flat[indices[place]] += input[place]
    return out


def bounds(n: int, parts: int) -> Iterator[slice]:
    return (slice(i * n // parts, -(-(i + 1) * n // parts)) for i in range(parts))


def parts_of(size: Any, output_size: Any) -> Iterator[tuple[Any, Any]]:
    """Each part's position, and the slices that cut it out."""
    return zip(np.ndindex(*output_size), itertools.product(*map(bounds, size, output_size)))


def adaptive_max_indices(input: Any, output_size: Any) -> Any:
    size = input.shape[2:]
    numbers = np.arange(int(np.prod(size))).reshape(size)
    places = np.zeros((*input.shape[:2], *output_size), np.int64)
    for p, part in parts_of(size, output_size):
        for plane in np.ndindex(*input.shape[:2]):
            places[(*plane, *p)] = numbers[part].flat[np.argmax(input[(*plane, *part)])]
    return places


def adaptive_sum(input: Any, output_size: Any) -> Any:
    out = np.zeros((*input.shape[:2], *output_size), input.dtype)
    for p, part in parts_of(input.shape[2:], output_size):
        out[(..., *p)] = np.sum(input[(..., *part)], axis=tuple(range(2, input.ndim)))
    return out


def fractional_indices(input: Any, samples: Any, kernel: Any, output_size: Any) -> Any:
    size, ndim = input.shape[2:], len(kernel)
    places = np.zeros((*input.shape[:2], *output_size), np.int64)
    numbers = np.arange(int(np.prod(size))).reshape(size)
    for plane in np.ndindex(*input.shape[:2]):
        u = samples[plane][::-1] if ndim == 2 else samples[plane]
        starts = [[int((i + v) * (n - k) / max(o - 1, 1)) - int(v * (n - k) / max(o - 1, 1)) for i in range(o - 1)] + [n - k]
                  for v, n, k, o in zip(u, size, kernel, output_size)]
        for p in np.ndindex(*output_size):
            window = tuple(slice(s[i], s[i] + k) for s, i, k in zip(starts, p, kernel))
            places[(*plane, *p)] = numbers[window].flat[np.argmax(input[(*plane, *window)])]
    return places


def adaptive_sample(values: Callable[[Any, Any], Any]) -> Callable[[Any, int], Any]:
    def make(rng: Any, ndim: int) -> Any:
        shape = (int(rng.integers(0, 3)), 2, *rng.integers(1, 7, ndim))
        return (values(rng, shape),), {"output_size": tuple(map(int, rng.integers(1, 7, ndim)))}
    return make


def fractional_sample(rng: Any, ndim: int) -> Any:
    kernel = tuple(map(int, rng.integers(1, 4, ndim)))
    output = tuple(map(int, rng.integers(1, 4, ndim)))
    size = [k + o - 1 + int(rng.integers(0, 4)) for k, o in zip(kernel, output)]
    samples = rng.integers(1, 64, (2, 3, ndim)) / 64  # exact in float32 too: a place must not depend on the rounding
    return (distinct(rng, (2, 3, *size)), samples), {"kernel": kernel, "output_size": output}


def planes_sample(rng: Any, ndim: int) -> Any:
    size, lead = rng.integers(1, 5, ndim), (int(rng.integers(0, 3)), 2)
    indices = rng.integers(0, np.prod(size), (*lead, *rng.integers(1, 4, ndim)))
    return rng.normal(size=(*lead, *size)), indices


def put_sample(rng: Any, ndim: int) -> Any:
    planes, indices = planes_sample(rng, ndim)
    return (rng.normal(size=indices.shape), indices), {"size": planes.shape[2:]}


def unpool_sample(rng: Any, ndim: int) -> Any:
    size, shape = tuple(map(int, rng.integers(3, 6, ndim))), (2, 2, *[2] * ndim)
    places = [rng.permutation(int(np.prod(size)))[:2**ndim] for _ in range(4)]  # no place twice
    return (rng.normal(size=shape), np.reshape(places, shape)), {"size": size}


def avg_settings(rng: Any, ndim: int) -> Any:
    size, kernel, positions, settings = geometry(rng, ndim, ceil=True, dilated=False)
    del settings["dilation"]
    divisor: Any = int(rng.integers(1, 5))
    if rng.random() < 0.5:
        divisor = tuple(tuple(map(int, rng.integers(1, 4, p))) for p in positions)
    return size, positions, {**settings, "kernel": kernel, "divisor": divisor}


def avg_sample(rng: Any, ndim: int) -> Any:
    size, _, settings = avg_settings(rng, ndim)
    return (rng.normal(size=(int(rng.integers(0, 3)), 2, *size)),), settings


def unpool_avg_sample(rng: Any, ndim: int) -> Any:
    size, positions, settings = avg_settings(rng, ndim)
    return (rng.normal(size=(int(rng.integers(0, 3)), 2, *positions)),), {**settings, "size": size}


def counted(divisor: Any) -> Any:
    """The divisor at every position."""
    if not isinstance(divisor, tuple):
        return divisor
    return np.array([np.prod(counts) for counts in itertools.product(*divisor)]).reshape([len(counts) for counts in divisor])


def avg(input: Any, kernel: Any, divisor: Any, **windows: Any) -> Any:
    size = input.shape[2:]
    positions = positions_of(size, kernel, dilation=(1,) * len(size), **windows)
    out = np.zeros((*input.shape[:2], *positions), input.dtype)
    for _, p, i in meetings(size, kernel, positions, **windows):
        out[p] += input[i]
    return out / counted(divisor)


def unpool_avg(input: Any, size: Any, kernel: Any, divisor: Any, **windows: Any) -> Any:
    out, values = np.zeros((*input.shape[:2], *size), input.dtype), input / counted(divisor)
    for _, p, i in meetings(size, kernel, input.shape[2:], **windows):
        out[i] += values[p]
    return out


IMAGE = ((f(2, 3, 4, 4, 4),), {"kernel": (2, 2, 2), "stride": (2, 2, 2), "padding": ((0, 0),) * 3, "dilation": (1, 1, 1)})
WHOLE = ((f(2, 3, 5, 4),), {"kernel": (5, 4), "stride": (5, 4), "padding": ((0, 0),) * 2, "divisor": 20})
NOTHING = ((f(2, 1, 3, 3),), {"kernel": (1, 1), "stride": (1, 1), "padding": ((0, 0),) * 2, "dilation": (1, 1)})
TIES = ((np.tile(np.eye(3), (1, 2, 2, 3)),), {"kernel": (2, 3), "stride": (3, 3), "padding": ((0, -1), (0, 0)),
                                              "dilation": (1, 1)})
LINEAR: dict[str, Any] = {"analytic": True, "complex": True}

CASES = {
    "max_pool": OpCase(drawn(max_sample), lambda input, **s: take(input, max_indices(input, **s)), examples=[IMAGE, NOTHING]),
    "max_pool_slope": OpCase(drawn(slope_sample), lambda grad, input, **s: put(grad, max_indices(input, **s), input.shape[2:]),
                             examples=[with_gradient(IMAGE), with_gradient(NOTHING)], edges=[with_gradient(TIES)]),
    "max_pool_indices": OpCase(drawn(max_sample), max_indices, examples=[IMAGE, NOTHING]),
    "adaptive_max_pool_indices": OpCase(drawn(adaptive_sample(distinct)), adaptive_max_indices,
                                        examples=[((f(2, 3, 3, 4),), {"output_size": (0, 2)})]),
    "fractional_max_pool_indices": OpCase(drawn(fractional_sample), fractional_indices,
                                          examples=[((f(2, 3, 4, 5, 4), f(2, 3, 3) / 4),
                                                     {"kernel": (2, 1, 3), "output_size": (2, 3, 1)})]),
    "take_from_planes": OpCase(st.tuples(drawn(planes_sample), st.just({})), take, **LINEAR),
    "put_in_planes": OpCase(drawn(put_sample), put, **LINEAR),
    "max_unpool": OpCase(drawn(unpool_sample), put, **LINEAR,
                         bad=[Bad((f(1, 1, 2), np.array([[[0, 4]]])), {"size": (4,)}, RuntimeError,
                                  r"Found an invalid max index: 4 \(output volumes are of size 4\)")]),
    "avg_pool": OpCase(drawn(avg_sample), avg, examples=[WHOLE], **LINEAR),
    "avg_unpool": OpCase(drawn(unpool_avg_sample), unpool_avg, **LINEAR),
    "adaptive_sum_pool": OpCase(drawn(adaptive_sample(lambda rng, shape: rng.normal(size=shape))), adaptive_sum,
                                examples=[((f(2, 3, 3, 4),), {"output_size": (0, 2)})], **LINEAR),
}
