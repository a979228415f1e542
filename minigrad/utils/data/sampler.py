"""Samplers: in what order the samples of a dataset are visited."""

from __future__ import annotations

import itertools
import math
from typing import Any, Iterable, Iterator, Sequence

import numpy as np

from minigrad import _arrays
from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad.distributed import get_rank, get_world_size
from minigrad.errors import ArgumentError, InvalidValueError
from minigrad.ops.sampling import multinomial, randint, randperm
from minigrad.random import Generator, place_of

__all__ = ["BatchSampler", "DistributedSampler", "RandomSampler", "Sampler", "SequentialSampler", "SubsetRandomSampler",
           "WeightedRandomSampler"]


DRAWS = 4096  # random indices drawn at once


def ensure_generator(generator: Any) -> Any:
    """`generator`, or a new one seeded from the default one. So what is drawn elsewhere does not change an order that is under
    way."""
    return Generator().manual_seed(int(randint(0, 2**62, (1,), device="cpu").item())) if generator is None else generator


def numbers(t: Any) -> Any:
    """A tensor of integers as a list."""
    return _arrays.to_numpy(t.array).tolist()


class Sampler:
    """Base of samplers: define ``__iter__()``, which yields indices, and where it is known ``__len__()``."""

    def __class_getitem__(cls, item: Any) -> type:
        return cls

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} defines no __iter__()")


class SequentialSampler(Sampler):
    """0, 1, 2, ..."""

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """A random order, or with `replacement` random draws; `num_samples` of them, by default as many as there are."""

    def __init__(self, data_source: Any, replacement: bool = False, num_samples: int | None = None,
                 generator: Any = None) -> None:
        if not isinstance(replacement, bool):
            raise ArgumentError(f"replacement should be a boolean value, but got replacement={replacement!r}")
        self.data_source, self.replacement, self._num_samples, self.generator = data_source, replacement, num_samples, generator
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise InvalidValueError(f"num_samples should be a positive integer value, but got num_samples={self.num_samples!r}")

    @property
    def num_samples(self) -> int:
        """How many indices come in all; the dataset's length now, unless it was given."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n, generator = len(self.data_source), ensure_generator(self.generator)
        if self.replacement:
            for done in range(0, self.num_samples, DRAWS):  # as it goes: there may be more than memory holds
                yield from numbers(randint(0, n, (min(DRAWS, self.num_samples - done),), generator=generator,
                                            device=place_of(generator)))
            return
        left = self.num_samples
        while left > 0 and n:
            yield from numbers(randperm(n, generator=generator, device=place_of(generator)))[:left]
            left -= n

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """`indices` in a random order."""

    def __init__(self, indices: Sequence[int], generator: Any = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        for k in numbers(randperm(len(self.indices), generator=self.generator, device=place_of(self.generator))):
            yield self.indices[k]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """`num_samples` draws of which each index has a share of `weights`; they need not add up to 1."""

    def __init__(self, weights: Any, num_samples: int, replacement: bool = True, generator: Any = None) -> None:
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise InvalidValueError(f"num_samples should be a positive integer value, but got num_samples={num_samples!r}")
        if not isinstance(replacement, bool):
            raise InvalidValueError(f"replacement should be a boolean value, but got replacement={replacement!r}")
        t: Any = object.__new__(Tensor)
        t.array, t.node = (weights.array if isinstance(weights, Tensor) else np.array(weights)).astype(dtypes.float64.numpy), None
        if t.ndim != 1:
            raise InvalidValueError(f"weights should be a 1d sequence but given weights have shape {tuple(t.shape)}")
        self.weights, self.num_samples, self.replacement, self.generator = t, num_samples, replacement, generator

    def __iter__(self) -> Iterator[int]:
        yield from numbers(multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator))

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """The indices of another sampler in lists of `batch_size`; with `drop_last`, only full ones.

    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise InvalidValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size!r}")
        if not isinstance(drop_last, bool):
            raise InvalidValueError(f"drop_last should be a boolean value, but got drop_last={drop_last!r}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[Any]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) < self.batch_size and self.drop_last:
                return
            yield batch

    def __len__(self) -> int:
        full, rest = divmod(len(self.sampler), self.batch_size)  # type: ignore[arg-type]
        return full + bool(rest and not self.drop_last)


class DistributedSampler(Sampler):
    """The part of a dataset that one of several processes, number `rank` of `num_replicas`, visits: every `num_replicas`-th index
    of an order that all of them draw alike, by `seed` and the number given to :meth:`set_epoch`.

    All get the same number of indices: the order is continued from its beginning until it can be divided, or, with `drop_last`,
    cut. Where `num_replicas` or `rank` is not given, the process group says it (:mod:`minigrad.distributed`), and ``ValueError``
    is raised if there is none.

    >>> list(DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
    [1, 3, 0]
    """

    def __init__(self, dataset: Any, num_replicas: int | None = None, rank: int | None = None, shuffle: bool = True,
                 seed: int = 0, drop_last: bool = False) -> None:
        num_replicas = get_world_size() if num_replicas is None else num_replicas
        rank = get_rank() if rank is None else rank
        if not 0 <= rank < num_replicas:
            raise InvalidValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset, self.num_replicas, self.rank, self.shuffle = dataset, num_replicas, rank, shuffle
        self.seed, self.drop_last, self.epoch = seed, drop_last, 0

    @property
    def num_samples(self) -> int:
        """How many indices each process gets."""
        each = len(self.dataset) / self.num_replicas
        return math.floor(each) if self.drop_last else math.ceil(each)

    @property
    def total_size(self) -> int:
        """How many indices all processes get together."""
        return self.num_samples * self.num_replicas

    def set_epoch(self, epoch: int) -> None:
        """Draw another order from the next iteration on: call it in every process with the number of the epoch."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        n, generator = len(self.dataset), Generator().manual_seed(self.seed + self.epoch)
        order = numbers(randperm(n, generator=generator, device="cpu")) if self.shuffle else list(range(n))
        whole = itertools.islice(itertools.cycle(order), self.total_size)
        return itertools.islice(whole, self.rank, None, self.num_replicas)

    def __len__(self) -> int:
        return self.num_samples
