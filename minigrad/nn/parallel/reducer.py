"""Gradients averaged over the processes of a group, in buckets, while the backward pass still runs."""

from __future__ import annotations

import weakref
from typing import Any, Iterable

import numpy as np

from minigrad import _arrays
from minigrad.autograd.early import finish_early
from minigrad.autograd.hooks import call_at_end_of_pass
from minigrad.distributed.memory import array_of, put, space, summable
from minigrad.distributed.process_group import ProcessGroup
from minigrad.distributed.work import Work, exchange
from minigrad.errors import StateError

__all__ = ["Reducer"]

FIRST_BUCKET = 1 << 20  # bytes: the first to be complete, so that the exchange begins early


class Bucket:
    """Parameters of one dtype whose gradients are exchanged together, one after the other in one array."""

    def __init__(self, parameters: list[Any], group: ProcessGroup) -> None:
        self.parameters = parameters
        self.values = space(sum(p.numel() for p in parameters), parameters[0].array.dtype, group)
        ends = np.cumsum([p.numel() for p in parameters]).tolist()
        self.slots = [self.values[end - p.numel():end].reshape(p.shape) for p, end in zip(parameters, ends)]
        self.waits_for = set(range(len(parameters)))


class Reducer:
    """Averages the gradients of `parameters`, as each backward pass computes them, over the processes of `group`.

    A bucket is exchanged when all its gradients are in ``.grad``, but never before those in front of it, so that all processes
    exchange the same in the same order. At the end of the pass what is still missing is taken as zeros. A parameter that no
    process has a gradient for keeps none.
    """

    def __init__(self, parameters: Iterable[Any], group: ProcessGroup, bucket_bytes: int) -> None:
        self.group, self.active = group.for_gradients(), True
        backwards = list(parameters)[::-1]  # the last are differentiated first
        self.buckets = [Bucket(ps, self.group) for ps in cut(backwards, bucket_bytes)]
        self.place = {id(p): (b, k) for b in self.buckets for k, p in enumerate(b.parameters)}
        self.begun: list[tuple[Work | None, Any]] = []  # the exchanges of this pass, and the numbers that they are in
        every = [p for b in self.buckets for p in b.parameters]
        finish_early(every, self)
        me = weakref.ref(self)

        def on_gradient(p: Any) -> None:
            reducer = me()
            if reducer is not None and reducer.active:
                reducer.take(p)
        handles = [p.register_post_accumulate_grad_hook(on_gradient) for p in every]
        weakref.finalize(self, lambda: [handle.remove() for handle in handles])

    def begin_pass(self, active: bool) -> None:
        """Average the gradients of the passes from now on, or leave them as they are. What an earlier pass has left undone,
        because an exception ended it, is forgotten."""
        for work, _ in self.begun:
            if work is not None:
                work.wait()
        self.forget()
        self.active = active

    def forget(self) -> None:
        self.begun.clear()
        for bucket in self.buckets:
            bucket.waits_for = set(range(len(bucket.parameters)))

    def take(self, p: Any) -> None:
        """Put the gradient of `p`, which is complete, into its bucket, and exchange the buckets that are."""
        if not call_at_end_of_pass(self, Reducer.finish, self):
            raise StateError("DistributedDataParallel: gradients are averaged by backward() without inputs=... and "
                             "create_graph=True; call such a pass, and the forward before it, under no_sync(), and average by "
                             "distributed.all_reduce")
        bucket, k = self.place[id(p)]
        if k not in bucket.waits_for:
            raise StateError(f"DistributedDataParallel: a parameter of shape {list(p.shape)} has got a gradient twice in one "
                             "backward pass, as when the pass itself calls backward(); compute such a part outside of the "
                             "wrapped module")
        with self.group.on_device():
            self.fill(bucket, k)
            bucket.waits_for.remove(k)
            self.exchange_complete()
        for work, _ in self.begun:
            if work is not None:
                work.is_completed()  # which drives it on

    def fill(self, bucket: Bucket, k: int) -> None:
        """Put this process's share of the average into a slot."""
        grad = bucket.parameters[k].grad
        if grad is None:
            bucket.slots[k][...] = 0
        else:
            mine = array_of(grad, "DistributedDataParallel", self.group)
            np.divide(mine, self.group.size(), out=bucket.slots[k], casting="unsafe")

    def exchange_complete(self) -> None:
        """Begin the exchange of the buckets whose turn it is and that are complete."""
        while len(self.begun) < len(self.buckets) and not self.buckets[len(self.begun)].waits_for:
            bucket = self.buckets[len(self.begun)]
            self.begin(bucket.values, "SUM", f"bucket {len(self.begun)} of gradients")

    def begin(self, values: Any, op: str, what: str) -> None:
        words = f"{what}, {values.size} of {values.dtype}, in DistributedDataParallel"
        numbers, reduced = summable(values, op, words)
        communicator = self.group.communicator
        work = exchange(self.group, words, lambda: communicator.all_reduce(numbers, reduced), async_op=True)
        self.begun.append((work, numbers))

    def finish(self) -> None:
        """Exchange what is left, and write the averages into ``.grad``."""
        here = [p.grad is not None for b in self.buckets for p in b.parameters]
        with self.group.on_device():
            for bucket in self.buckets:
                for k in bucket.waits_for:
                    self.fill(bucket, k)
                bucket.waits_for.clear()
            self.exchange_complete()
            has_gradient = _arrays.to_device(np.array(here, np.uint8), self.group.device)
            self.begin(has_gradient, "MAX", "which parameters have gradients")
            for work, _ in self.begun:
                assert work is not None
                work.wait()
            # To look at what has arrived on a GPU is to wait for it.
            somewhere = iter(here if all(here) else _arrays.to_numpy(has_gradient).tolist())
            for bucket, (_, numbers) in zip(self.buckets, self.begun):
                if numbers is not bucket.values:
                    bucket.values[...] = numbers
                for p, slot in zip(bucket.parameters, bucket.slots):
                    if next(somewhere):
                        if p.grad is None:
                            p.grad = p.detach().clone()
                        put(p.grad, slot, "DistributedDataParallel")
        self.forget()


def cut(parameters: list[Any], most: int) -> list[list[Any]]:
    """`parameters` in their order, in parts of one dtype that have at most `most` bytes, the first less, or one parameter."""
    parts: list[list[Any]] = []
    size, limit = 0, min(FIRST_BUCKET, most)
    for p in parameters:
        if parts and parts[-1][0].dtype == p.dtype and size + p.array.nbytes <= limit:
            parts[-1].append(p)
        else:
            limit = most if parts else limit
            parts.append([p])
            size = 0
        size += p.array.nbytes
    return parts
