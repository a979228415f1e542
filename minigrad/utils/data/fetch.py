"""Making a batch of what a sampler says."""

from __future__ import annotations

import itertools
from typing import Any, Callable, Iterator

from minigrad.errors import StateError
from minigrad.utils.data.collate import default_collate
from minigrad.utils.data.dataset import IterableDataset, rows_of, samples_of


class Endless:
    """The sampler of an iterable dataset: it says how many to read, but not which."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


class Fetcher:
    """Makes a batch of what a sampler says. Each worker has its own."""

    def __init__(self, dataset: Any, batched: bool, collate_fn: Callable[[Any], Any], drop_last: bool) -> None:
        self.dataset, self.batched, self.collate_fn, self.drop_last = dataset, batched, collate_fn, drop_last
        self.samples = iter(dataset) if isinstance(dataset, IterableDataset) else None

    def __call__(self, indices: Any) -> Any:
        """Raises ``StopIteration`` where an iterable dataset has come to its end. One that a sample raises, which would end the
        iteration before the samples do, becomes a ``RuntimeError``."""
        if self.samples is not None:
            samples = list(itertools.islice(self.samples, len(indices) if self.batched else 1))
            if not samples or self.batched and self.drop_last and len(samples) < len(indices):
                raise StopIteration
        try:
            if self.samples is not None:
                return self.collate_fn(samples if self.batched else samples[0])
            return self.of_indices(indices)
        except StopIteration as error:
            raise StateError(f"{type(self.dataset).__name__} raised StopIteration for {indices}; the samples of a dataset end "
                             "where its len() says") from error

    def of_indices(self, indices: Any) -> Any:
        """The batch of numbered samples."""
        if not self.batched:
            return self.collate_fn(self.dataset[indices])
        if self.collate_fn is default_collate and isinstance(indices, list):
            rows = rows_of(self.dataset, indices)
            if rows is not None:
                return rows
        return self.collate_fn(samples_of(self.dataset, indices))
