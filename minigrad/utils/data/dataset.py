"""Datasets: what can be asked for its i-th sample, or iterated over."""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from typing import TYPE_CHECKING, Any, Generic, Iterable, Iterator, Sequence, TypeVar

import numpy as np

from minigrad import _arrays
from minigrad._tensor import Tensor
from minigrad.errors import ArgumentError, InvalidValueError
from minigrad.ops.sampling import randperm
from minigrad.random import place_of
from minigrad.recording.device_guard import on_device_of_inputs

if TYPE_CHECKING:
    from minigrad.random import Generator

__all__ = ["ChainDataset", "ConcatDataset", "Dataset", "IterableDataset", "StackDataset", "Subset", "TensorDataset",
           "random_split"]


T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Base of datasets with numbered samples: define ``__getitem__(index)`` and ``__len__()``.

    One that also defines ``__getitems__(indices)`` is asked for a whole batch at once.
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[T_co]) -> ConcatDataset[T_co]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co]):
    """Base of datasets that can only be read from front to end: define ``__iter__()``."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError("Subclasses of IterableDataset should implement __iter__.")

    def __add__(self, other: Dataset[T_co]) -> Any:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Sample i is the tuple of the i-th rows of `tensors`, which are of one length.

    >>> import minigrad as mg
    >>> TensorDataset(mg.tensor([[1.], [2.]]), mg.tensor([0, 1]))[1]
    (tensor([2.]), tensor(1))
    """

    def __init__(self, *tensors: Tensor) -> None:
        if any(len(t) != len(tensors[0]) for t in tensors):
            raise AssertionError(f"Size mismatch between tensors: the first dimensions are {[len(t) for t in tensors]}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class StackDataset(Dataset[Any]):
    """Sample i is the tuple of the i-th samples of several datasets or, given by keyword, a dictionary of them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise InvalidValueError("Supported either ``tuple``- (via ``args``) or``dict``- (via ``kwargs``) like input/output, "
                                    "but both types are given.")
        if not args and not kwargs:
            raise InvalidValueError("At least one dataset should be passed")
        self.datasets: Any = args or kwargs
        parts = list(args or kwargs.values())
        self._length = len(parts[0])
        if any(len(d) != self._length for d in parts):
            raise InvalidValueError(f"Size mismatch between datasets: {[len(d) for d in parts]}")

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: d[index] for name, d in self.datasets.items()}
        return tuple(d[index] for d in self.datasets)

    def __getitems__(self, indices: Sequence[Any]) -> list[Any]:
        named = isinstance(self.datasets, dict)
        columns = [samples_of(d, indices) for d in (self.datasets.values() if named else self.datasets)]
        return [dict(zip(self.datasets, row)) if named else row for row in zip(*columns)]

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[T_co]):
    """Several datasets, one after the other."""

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets: list[Any] = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset; use ChainDataset")
        self.cumulative_sizes = list(itertools.accumulate(len(d) for d in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: Any) -> T_co:
        if index < 0:
            if -index > len(self):
                raise InvalidValueError("absolute value of index should not exceed dataset length")
            index += len(self)
        which = bisect.bisect_right(self.cumulative_sizes, index)
        sample: T_co = self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]
        return sample

    @property
    def cummulative_sizes(self) -> list[int]:
        """A misspelling that PyTorch has kept."""
        warnings.warn("cummulative_sizes attribute is renamed to cumulative_sizes", DeprecationWarning, stacklevel=2)
        return self.cumulative_sizes


class ChainDataset(IterableDataset[T_co]):
    """Several iterable datasets, one after the other."""

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets: Any = datasets

    def __iter__(self) -> Iterator[T_co]:
        for d in self.datasets:
            if not isinstance(d, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset")
            yield from d

    def __len__(self) -> int:
        return sum(len(d) for d in self.datasets)


class Subset(Dataset[T_co]):
    """The samples of `dataset` at `indices`."""

    def __init__(self, dataset: Dataset[T_co] | Sequence[T_co], indices: Sequence[int]) -> None:
        self.dataset: Any = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[k] for k in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        return samples_of(self.dataset, [self.indices[k] for k in indices])

    def __len__(self) -> int:
        return len(self.indices)


def samples_of(dataset: Any, indices: Sequence[Any]) -> list[Any]:
    """Several samples of a dataset, asked for at once where it can be."""
    many = getattr(dataset, "__getitems__", None)
    if not callable(many):
        return [dataset[k] for k in indices]
    samples: list[Any] = many(indices)
    if len(samples) != len(indices):
        raise InvalidValueError(f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(samples)}")
    return samples


def rows_of(dataset: Any, indices: Sequence[Any]) -> list[Any] | None:
    """A batch of a :class:`TensorDataset`, or a subset of one, by one indexing of each tensor; None if it is not one."""
    whole = dataset
    while type(whole) is Subset:
        whole = whole.dataset
    if type(whole) is not TensorDataset or any(t.requires_grad for t in whole.tensors):
        return None
    while dataset is not whole:
        indices, dataset = [int(dataset.indices[k]) for k in indices], dataset.dataset
    rows_wanted = np.array(indices)
    batch = []
    for t in whole.tensors:
        rows: Any = object.__new__(Tensor)
        rows.array, rows.node = take_rows(t.array, _arrays.to_device(rows_wanted, _arrays.device_of(t.array))), None
        batch.append(rows)
    return batch


@on_device_of_inputs
def take_rows(array: Any, rows: Any) -> Any:
    return array[rows]


def random_split(dataset: Dataset[T_co] | Sequence[T_co], lengths: Sequence[float],
                 generator: Generator | None = None) -> list[Subset[T_co]]:
    """Split a dataset at random into parts of the given lengths, or of given fractions that add up to 1.

    >>> import minigrad as mg
    >>> [len(part) for part in random_split(range(10), [0.7, 0.3], generator=mg.Generator().manual_seed(0))]
    [7, 3]
    """
    total = len(dataset)  # type: ignore[arg-type]
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        for k, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise InvalidValueError(f"Fraction at index {k} is not between 0 and 1")
        sizes = [math.floor(total * fraction) for fraction in lengths]
        for k in range(total - sum(sizes)):  # what rounding has left goes to the first parts
            sizes[k % len(sizes)] += 1
        for k, size in enumerate(sizes):
            if size == 0:
                warnings.warn(f"Length of split at index {k} is 0. This might result in an empty dataset.", stacklevel=2)
    else:
        sizes = [int(n) for n in lengths]
        if sum(lengths) != total:
            raise InvalidValueError("Sum of input lengths does not equal the length of the input dataset: "
                                    f"{sum(lengths)} and {total}; fractions must add up to 1")
    if any(not isinstance(n, (int, float)) for n in lengths):
        raise ArgumentError("random_split: lengths must be integers, or fractions that add up to 1")
    order = randperm(total, generator=generator, device=place_of(generator)).tolist()
    ends = list(itertools.accumulate(sizes))
    return [Subset(dataset, order[end - size:end]) for end, size in zip(ends, sizes)]
