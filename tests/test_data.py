"""Datasets, samplers, collation and the loader."""

from __future__ import annotations

import collections
import threading
from typing import Any, Iterator

import numpy as np
import pytest

import minigrad as mg
from minigrad.utils import data
from minigrad.utils.data import DataLoader, DistributedSampler, TensorDataset
from tests import standin


class Squares(data.Dataset):
    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, k: int) -> int:
        return k * k


class Counting(data.IterableDataset):
    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Iterator[int]:
        worker = data.get_worker_info()
        return iter(range(self.n)) if worker is None else iter(range(worker.id, self.n, worker.num_workers))


def lists(loader: Any) -> list[Any]:
    return [batch.tolist() for batch in loader]


def seeded(seed: int = 0) -> mg.Generator:
    return mg.Generator().manual_seed(seed)


# ---------------------------------------------------------------------------------------------------- datasets

def test_the_parts_of_a_distributed_sampler_are_the_whole() -> None:
    for n, replicas in ((10, 2), (7, 3), (1, 4), (0, 2)):
        for shuffle in (False, True):
            parts = [DistributedSampler(range(n), replicas, rank, shuffle) for rank in range(replicas)]
            drawn = [list(p) for p in parts]
            assert [len(d) for d in drawn] == [len(p) for p in parts] == [-(-n // replicas)] * replicas
            assert {k for d in drawn for k in d} == set(range(n))
            short = [list(DistributedSampler(range(n), replicas, rank, shuffle, drop_last=True)) for rank in range(replicas)]
            together = [k for d in short for k in d]
            assert len(together) == len(set(together)) == n // replicas * replicas


def test_a_distributed_sampler_shuffles_by_seed_and_epoch() -> None:
    sampler = DistributedSampler(range(20), 2, 0, seed=4)
    first = list(sampler)
    assert list(sampler) == first != list(range(0, 20, 2))
    sampler.set_epoch(1)
    assert list(sampler) != first and list(sampler) == list(DistributedSampler(range(20), 2, 0, seed=5))
    with pytest.raises(ValueError, match="process group has not been initialized"):
        DistributedSampler(range(3))
    with pytest.raises(ValueError, match=r"Invalid rank 2, rank should be in the interval \[0, 1\]"):
        DistributedSampler(range(3), 2, 2)


def test_datasets_combine() -> None:
    a, b = Squares(3), Squares(2)
    both = a + b
    assert len(both) == 5 and [both[k] for k in range(5)] == [0, 1, 4, 0, 1] and both[-1] == 1
    with pytest.raises(ValueError, match="absolute value of index"):
        both[-6]
    assert list(Counting(2) + Counting(3)) == [0, 1, 0, 1, 2]
    assert [data.Subset(a, [2, 0])[k] for k in range(2)] == [4, 0]
    assert data.Subset(both, [4, 2]).__getitems__([1, 0]) == [4, 1]
    stacked = data.StackDataset(a, Squares(3))
    assert stacked[2] == (4, 4) and stacked.__getitems__([1, 2]) == [(1, 1), (4, 4)]
    assert data.StackDataset(x=a)[1] == {"x": 1} and data.StackDataset(x=a).__getitems__([2]) == [{"x": 4}]
    with pytest.raises(ValueError, match="Size mismatch between datasets"):
        data.StackDataset(a, b)
    with pytest.raises(AssertionError, match="Size mismatch between tensors"):
        TensorDataset(mg.ones(2), mg.ones(3))
    with pytest.raises(AssertionError, match="empty iterable"):
        data.ConcatDataset([])
    with pytest.raises(NotImplementedError):
        data.Dataset()[0]
    assert issubclass(type("Own", (data.Dataset,), {}), data.Dataset) and data.Dataset[int].__origin__ is data.Dataset


def test_random_split_by_lengths_and_fractions() -> None:
    first, second = data.random_split(Squares(10), [7, 3], generator=seeded())
    assert sorted([*first.indices, *second.indices]) == list(range(10)) and len(first) == 7
    assert [len(s) for s in data.random_split(Squares(10), [0.5, 0.25, 0.25])] == [6, 2, 2]
    assert data.random_split(Squares(10), [7, 3], generator=seeded())[0].indices == first.indices
    with pytest.raises(ValueError, match="Sum of input lengths does not equal"):
        data.random_split(Squares(10), [7, 4])
    with pytest.raises(ValueError, match="Sum of input lengths does not equal.*fractions must add up to 1"):
        data.random_split(Squares(0), [0.5, 0.6])
    with pytest.raises(ValueError, match="not between 0 and 1"):
        data.random_split(Squares(10), [1.5, -0.5])
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        data.random_split(Squares(2), [0.9, 0.1])


# ---------------------------------------------------------------------------------------------------- samplers

def test_samplers() -> None:
    source = range(6)
    assert list(data.SequentialSampler(source)) == list(source)
    order = list(data.RandomSampler(source, generator=seeded()))
    assert sorted(order) == list(source) and order == list(data.RandomSampler(source, generator=seeded())) != list(source)
    assert len(list(data.RandomSampler(source, num_samples=15))) == 15
    drawn = list(data.RandomSampler(source, replacement=True, num_samples=100))
    assert len(drawn) == 100 and set(drawn) == set(source)
    assert sorted(data.SubsetRandomSampler([5, 7, 9])) == [5, 7, 9]
    weighted = data.WeightedRandomSampler([0, 1, 3], 4000, generator=seeded())
    counts = collections.Counter(weighted)
    assert counts[0] == 0 and 2.5 < counts[2] / counts[1] < 3.5
    assert sorted(data.WeightedRandomSampler([1.0, 1.0, 1.0], 3, replacement=False)) == [0, 1, 2]
    batches = data.BatchSampler(range(5), 2, False)
    assert list(batches) == [[0, 1], [2, 3], [4]] and len(batches) == 3
    assert list(data.BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]] and len(data.BatchSampler(range(5), 2, True)) == 2


def test_orders_are_drawn_on_the_host_whatever_the_default_device_is() -> None:
    """With and without a generator, which is the host's."""
    def orders() -> list[list[int]]:
        found: list[Any] = []
        for generator in (None, mg.Generator()):
            mg.manual_seed(3)
            if generator is not None:
                generator.manual_seed(3)
            found += [data.RandomSampler(range(9), generator=generator), data.SubsetRandomSampler(range(9), generator=generator),
                      data.RandomSampler(range(9), replacement=True, generator=generator),
                      data.WeightedRandomSampler([1.0, 2.0, 3.0], 9, generator=generator),
                      data.random_split(range(9), [4, 5], generator=generator)[0],
                      data.DataLoader(range(9), shuffle=True, batch_size=None, generator=generator)]
            found = [list(map(int, order)) for order in found]
        return [*found, list(data.DistributedSampler(range(9), num_replicas=2, rank=0))]
    here = orders()
    mg.set_default_device(str(standin.DEVICE))
    try:
        assert orders() == here
    finally:
        mg.set_default_device(None)


def test_what_samplers_refuse() -> None:
    for make, error, text in (
            (lambda: data.RandomSampler([1], replacement=1), TypeError, "replacement should be a boolean value"),
            (lambda: data.RandomSampler([1], num_samples=-1), ValueError, "num_samples should be a positive integer"),
            (lambda: data.BatchSampler([1], 0, False), ValueError, "batch_size should be a positive integer value, but got "
                                                                   "batch_size=0"),
            (lambda: data.BatchSampler([1], 1, 1), ValueError, "drop_last should be a boolean"),
            (lambda: data.WeightedRandomSampler([1.0], 0), ValueError, "num_samples should be a positive integer"),
            (lambda: data.WeightedRandomSampler([[1.0]], 1), ValueError, "weights should be a 1d sequence")):
        with pytest.raises(error, match=text):
            make()


# ---------------------------------------------------------------------------------------------------- collation

def test_collation_keeps_structure_and_makes_tensors() -> None:
    Point = collections.namedtuple("Point", "x y")
    batch = data.default_collate([{"a": 1.5, "p": Point(1, mg.ones(2)), "t": "s", "n": np.arange(2)}] * 2)
    assert batch["a"].dtype is mg.float64 and batch["a"].tolist() == [1.5, 1.5]
    assert type(batch["p"]) is Point and batch["p"].x.dtype is mg.int64 and tuple(batch["p"].y.shape) == (2, 2)
    assert batch["t"] == ["s", "s"] and batch["n"].tolist() == [[0, 1], [0, 1]]
    assert data.default_collate([True, False]).dtype is mg.bool
    assert data.default_collate([np.float32(1), np.float32(2)]).dtype is mg.float32
    assert data.default_collate([[1, 2], [3, 4]])[0].tolist() == [1, 3]
    with pytest.raises(RuntimeError, match="should be of equal size"):
        data.default_collate([[1], [1, 2]])
    with pytest.raises(TypeError, match="batch must contain tensors, numpy arrays, numbers, dicts or lists; found <class "
                                        "'object'>"):
        data.default_collate([object()])
    converted = data.default_convert({"a": np.ones(2), "b": (1, np.int64(3)), "c": ["s"]})
    assert isinstance(converted["a"], mg.Tensor) and converted["b"][0] == 1 and converted["c"] == ["s"]


# ---------------------------------------------------------------------------------------------------- the loader

def test_batches_in_order_and_shuffled() -> None:
    assert lists(DataLoader(Squares(5), batch_size=2)) == [[0, 1], [4, 9], [16]]
    assert lists(DataLoader(Squares(5), batch_size=2, drop_last=True)) == [[0, 1], [4, 9]]
    assert len(DataLoader(Squares(5), batch_size=2)) == 3 and len(DataLoader(Squares(5), 2, drop_last=True)) == 2
    loader = DataLoader(Squares(20), batch_size=20, shuffle=True, generator=seeded())
    first, second = lists(loader), lists(loader)
    assert sorted(first[0]) == [k * k for k in range(20)] and first != second
    assert lists(DataLoader(Squares(20), batch_size=20, shuffle=True, generator=seeded())) == first
    mg.manual_seed(1)
    again = lists(DataLoader(Squares(20), batch_size=20, shuffle=True))
    mg.manual_seed(1)
    assert lists(DataLoader(Squares(20), batch_size=20, shuffle=True)) == again
    assert lists(DataLoader(Squares(5), sampler=[3, 1])) == [[9], [1]]
    assert lists(DataLoader(Squares(5), batch_sampler=[[0, 1], [4]])) == [[0, 1], [16]]
    assert list(DataLoader(Squares(3), batch_size=None)) == [0, 1, 4]
    assert list(DataLoader(Squares(3), batch_size=2, collate_fn=sum)) == [1, 4]
    assert len(DataLoader(Squares(3), batch_size=None)) == 3


def test_a_batch_of_a_tensor_dataset_is_one_indexing_of_each_tensor() -> None:
    x, y = mg.randn(10, 3), mg.arange(10)
    for dataset in (TensorDataset(x, y), data.Subset(data.Subset(TensorDataset(x, y), list(range(9, -1, -1))), [1, 3, 5])):
        fast = list(DataLoader(dataset, batch_size=2))
        slow = list(DataLoader(dataset, batch_size=2, collate_fn=lambda batch: data.default_collate(batch)))
        assert len(fast) == len(slow) and all(type(b) is list for b in fast)
        for a, b in zip(fast, slow):
            assert all(np.array_equal(s.numpy(), t.numpy()) and s.dtype is t.dtype for s, t in zip(a, b))
        fast[0][0].zero_()  # a batch is a copy
    assert float(x.abs().sum()) > 0
    there = next(iter(DataLoader(TensorDataset(y.to("standin")), batch_size=2)))[0]
    assert str(there.device) == "standin:0" and there.tolist() == [0, 1]
    part = data.Subset(TensorDataset(y), [3, 4])
    assert next(iter(DataLoader(part, batch_size=2)))[0].tolist() == [3, 4]
    part.indices.reverse()  # type: ignore[attr-defined]
    assert next(iter(DataLoader(part, batch_size=2)))[0].tolist() == [4, 3]
    assert next(iter(DataLoader(data.Subset({"a": 1, "b": 2}, ["b", "a"]), batch_size=2))).tolist() == [2, 1]

    class Negated(TensorDataset):
        def __getitem__(self, index: Any) -> Any:
            return -self.tensors[0][index]

    assert lists(DataLoader(Negated(y), batch_size=3))[0] == [0, -1, -2]
    wanting = TensorDataset(mg.ones(4, requires_grad=True))
    assert next(iter(DataLoader(wanting, batch_size=2)))[0].requires_grad


def test_a_dataset_may_give_a_whole_batch() -> None:
    class Many(Squares):
        def __getitems__(self, indices: list[int]) -> list[int]:
            return [-k for k in indices]

    assert lists(DataLoader(Many(3), batch_size=2)) == [[0, -1], [-2]]


@pytest.mark.parametrize("context", ["thread", "forkserver"])
def test_workers_give_the_same_batches_in_the_same_order(context: Any) -> None:
    expected = lists(DataLoader(Squares(11), batch_size=2, shuffle=True, generator=seeded()))
    loader = DataLoader(Squares(11), batch_size=2, shuffle=True, generator=seeded(), num_workers=2,
                        multiprocessing_context=context, persistent_workers=True)
    assert lists(loader) == expected
    next(iter(loader))  # an epoch left early does not disturb the next
    assert sorted(sum(lists(loader), [])) == [k * k for k in range(11)]
    iterated = lists(DataLoader(Counting(7), batch_size=2, num_workers=2, multiprocessing_context=context))
    assert iterated == [[0, 2], [1, 3], [4, 6], [5]]


def test_iterable_datasets() -> None:
    assert lists(DataLoader(Counting(5), batch_size=2)) == [[0, 1], [2, 3], [4]]
    assert lists(DataLoader(Counting(5), batch_size=2, drop_last=True)) == [[0, 1], [2, 3]]
    assert list(DataLoader(Counting(3), batch_size=None)) == [0, 1, 2]
    assert lists(DataLoader(Counting(5), batch_size=2, num_workers=1)) == [[0, 1], [2, 3], [4]]

    class Sized(Counting):
        def __len__(self) -> int:
            return 2

    loader = DataLoader(Sized(6), batch_size=2)
    assert len(loader) == 1
    with pytest.warns(UserWarning, match="reported to be 2.*but [23] samples have been fetched"):
        assert len(list(loader)) == 3
    assert len(list(DataLoader(Sized(6), batch_size=2))) == 3  # whose length nobody has asked for
    with pytest.raises(TypeError):
        len(DataLoader(Counting(5)))


def test_workers_know_themselves_and_begin_with_the_users_function() -> None:
    assert data.get_worker_info() is None
    seen: list[Any] = []

    def start(worker: int) -> None:
        info = data.get_worker_info()
        assert info is not None
        seen.append((worker, info.id, info.num_workers, len(info.dataset)))

    list(DataLoader(Squares(4), num_workers=2, worker_init_fn=start, multiprocessing_context="thread"))
    assert sorted(seen) == [(0, 0, 2, 4), (1, 1, 2, 4)]


def test_errors_in_workers_are_raised_where_the_batch_was_wanted() -> None:
    class Broken(Squares):
        def __getitem__(self, k: int) -> int:
            if k == 2:
                raise ValueError("sample 2 is broken")
            return k

    loader = DataLoader(Broken(4), num_workers=1, multiprocessing_context="thread")
    batches = iter(loader)
    assert next(batches).tolist() == [0] and next(batches).tolist() == [1]
    with pytest.raises(ValueError, match=r"(?s)Caught ValueError in DataLoader worker thread 0.*sample 2 is broken"):
        next(batches)

    def fail(worker: int) -> None:
        raise KeyError("start")

    with pytest.raises(KeyError, match=r"(?s)^Caught KeyError in DataLoader worker thread 0.*\n.*KeyError: 'start'"):
        list(DataLoader(Squares(2), num_workers=1, worker_init_fn=fail, multiprocessing_context="thread"))

    allowed = threading.Event()

    class Slow(Squares):
        def __getitem__(self, k: int) -> int:
            allowed.wait()
            return k

    with pytest.raises(RuntimeError, match=r"DataLoader timed out after 0.01 seconds"):
        list(DataLoader(Slow(1), num_workers=1, timeout=0.01, multiprocessing_context="thread"))
    allowed.set()


@pytest.mark.parametrize(("workers", "context"), [(0, None), (2, "thread"), (2, "fork")])
def test_an_iteration_goes_on_after_a_sample_that_could_not_be_made(workers: int, context: Any) -> None:
    class Broken(Squares):
        def __getitem__(self, k: int) -> int:
            if k == 1:
                raise OSError("sample 1 is not there")
            return k

    batches = iter(DataLoader(Broken(5), num_workers=workers, multiprocessing_context=context))
    assert len(batches) == 5
    assert next(batches).tolist() == [0]
    with pytest.raises(OSError, match="sample 1 is not there"):
        next(batches)
    assert [b.tolist() for b in batches] == [[2], [3], [4]]
    assert list(batches) == []


@pytest.mark.parametrize(("workers", "context"), [(0, None), (2, "thread"), (2, "fork")])
def test_no_batch_is_lost_to_a_stop_iteration(workers: int, context: Any) -> None:
    class Ending(Squares):
        def __getitem__(self, k: int) -> int:
            return next(iter([])) if k == 1 else k

    with pytest.raises(RuntimeError, match=r"Ending raised StopIteration for \[1\]; the samples of a dataset end where its len"):
        list(DataLoader(Ending(4), num_workers=workers, multiprocessing_context=context))


class Noise(Squares):
    def __getitem__(self, k: int) -> Any:
        return mg.rand(2)


@pytest.mark.parametrize("context", ["thread", "fork"])
def test_random_numbers_of_workers_are_reproducible_and_their_own(context: Any) -> None:
    def draw(**options: Any) -> tuple[Any, Any]:
        mg.manual_seed(3)
        loader = DataLoader(Noise(6), num_workers=2, multiprocessing_context=context, **options)
        seen = []
        for batch in loader:
            seen.append(batch)
            mg.rand(5)  # what is drawn here meanwhile changes nothing there
        return mg.cat(seen), mg.rand(3)

    first, second = draw(), draw(prefetch_factor=1)
    assert mg.equal(first[0], second[0])
    assert mg.equal(first[1], second[1])
    assert len(set(first[0].flatten().tolist())) == 12


def test_random_draws_are_made_as_they_are_asked_for() -> None:
    sampler = data.RandomSampler(range(3), replacement=True, num_samples=10**10)
    assert {k for k, _ in zip(sampler, range(100))} == {0, 1, 2}
    assert len(list(data.RandomSampler(range(3), replacement=True, num_samples=5000))) == 5000


def test_batches_keep_texts_and_kinds_of_mappings() -> None:
    names = np.array(["a", "b"])
    assert data.default_collate([names[0], names[1]]) == ["a", "b"]
    assert data.default_convert(names[0]) == "a"
    samples = [collections.defaultdict(list, x=k) for k in range(2)]
    batch = data.default_collate(samples)
    assert isinstance(batch, collections.defaultdict) and batch["x"].tolist() == [0, 1] and batch["none"] == []
    assert isinstance(data.default_convert(samples[0]), collections.defaultdict)

    class Row(list):
        label = "row"

    made = data.default_collate([Row([1, 2]), Row([3, 4])])
    assert isinstance(made, Row) and made[0].tolist() == [1, 3]


def test_what_the_loader_refuses() -> None:
    s = Squares(4)
    for options, text in (({"num_workers": -1}, "num_workers option should be non-negative"),
                          ({"timeout": -1}, "timeout option should be non-negative"),
                          ({"prefetch_factor": 2}, "prefetch_factor option could only be specified in multiprocessing"),
                          ({"persistent_workers": True}, "persistent_workers option needs num_workers > 0"),
                          ({"sampler": [1], "shuffle": True}, "sampler option is mutually exclusive with shuffle"),
                          ({"batch_sampler": [[1]], "batch_size": 2}, "batch_sampler option is mutually exclusive"),
                          ({"batch_size": None, "drop_last": True}, "batch_size=None option disables auto-batching"),
                          ({"batch_size": 0}, "batch_size should be a positive integer value"),
                          ({"multiprocessing_context": "other", "num_workers": 1}, "should specify a valid start method"),
                          ({"multiprocessing_context": "spawn"}, "can only be used with multi-process loading")):
        with pytest.raises(ValueError, match=text):
            DataLoader(s, **options)  # type: ignore[arg-type]
    for name, value in (("shuffle", True), ("sampler", [1]), ("batch_sampler", [[1]])):
        with pytest.raises(ValueError, match=f"DataLoader with IterableDataset: expected unspecified {name} option"):
            DataLoader(Counting(2), **{name: value})
