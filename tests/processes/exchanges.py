"""Every exchange, in as many processes as there are; each process checks what has arrived.

The command line says what carries them: see ``beginning.py``.
"""

from __future__ import annotations

import datetime
import os
import re
import warnings
from functools import reduce
from typing import Any

import minigrad as mg
from minigrad import distributed as dist
from tests.processes.beginning import BY_MPI, BY_NCCL, begin

warnings.simplefilter("error")
assert not dist.is_initialized()
device = begin(datetime.timedelta(seconds=60))
rank, size = dist.get_rank(), dist.get_world_size()
everyone = range(size)
assert (rank, size) == (int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])) and size > 1
assert dist.get_node_local_rank() == rank and dist.get_backend() == ("nccl" if BY_NCCL else "mpi") and dist.is_mpi_available()


def mine(r: int, dtype: Any = mg.float32) -> Any:
    """What process r has: numbers that sums of every dtype hold exactly."""
    return (mg.arange(1, 7).reshape(2, 3) + r).to(dtype)


def same(found: Any, expected: Any) -> None:
    assert found.dtype == expected.dtype and found.shape == expected.shape, (found, expected)
    assert found.tolist() == expected.tolist(), f"process {rank}: {found} instead of {expected}"


def refused(call: Any, kind: type[Exception], *words: str) -> None:
    try:
        call()
    except kind as error:
        for pattern in words:
            assert re.search(pattern, str(error)), f"{error} does not say {pattern}"
    else:
        raise AssertionError(f"not refused: {words}")


def fold(function: Any, dtype: Any, numbers: Any = everyone) -> Any:
    return reduce(function, [mine(r, dtype) for r in numbers])


# Reductions, in every dtype that there is.
NUMBERS = [mg.uint8, mg.int8, mg.int16, mg.int32, mg.int64, mg.uint16, mg.uint32, mg.uint64, mg.float16, mg.bfloat16, mg.float32,
           mg.float64, mg.complex64, mg.complex128]
if BY_NCCL:
    NUMBERS.remove(mg.bfloat16)  # which is in host memory only
HALF = mg.float16 if BY_NCCL else mg.bfloat16
for dtype in NUMBERS:
    x = mine(rank, dtype)
    memory = x.data_ptr()
    assert dist.all_reduce(x) is None
    same(x, fold(lambda a, b: a + b, dtype))
    assert x.data_ptr() == memory
    x = mine(rank, dtype)
    dist.reduce(x, size - 1)
    same(x, fold(lambda a, b: a + b, dtype) if rank == size - 1 else mine(rank, dtype))
    if not dtype.is_complex:
        for op, function in ((dist.ReduceOp.MAX, mg.maximum), (dist.ReduceOp.MIN, mg.minimum)):
            x = mine(rank, dtype)
            dist.all_reduce(x, op)
            same(x, fold(function, dtype))
    if not dtype.is_floating_point and not dtype.is_complex:
        for op, function in ((dist.ReduceOp.BAND, mg.bitwise_and), (dist.ReduceOp.BOR, mg.bitwise_or),
                             (dist.ReduceOp.BXOR, mg.bitwise_xor)):
            x = mine(rank, mg.int64).to(dtype)
            dist.all_reduce(x, op)
            same(x, fold(function, mg.int64).to(dtype))
        refused(lambda: dist.all_reduce(mine(0, dtype), dist.ReduceOp.AVG), RuntimeError, "AVG is not defined for the dtype")
    else:
        x = mine(rank, dtype)
        dist.all_reduce(x, dist.ReduceOp.AVG)
        same(x, fold(lambda a, b: a + b, dtype) / size)
        refused(lambda: dist.all_reduce(mine(0, dtype), dist.ReduceOp.BOR), RuntimeError, "BOR is not defined for")
    x = mine(rank, dtype)
    dist.broadcast(x, 1)
    same(x, mine(1, dtype))
for dtype in (mg.float32, mg.int8, mg.int16, mg.complex64):
    x, y, part = mine(rank, dtype), mine(rank, dtype), mg.zeros(3, dtype=dtype)
    dist.all_reduce(x, dist.ReduceOp.PRODUCT)
    same(x, fold(lambda a, b: a * b, dtype))
    dist.reduce(y, 1, dist.ReduceOp.PRODUCT)
    same(y, x if rank == 1 else mine(rank, dtype))
    dist.reduce_scatter(part, [mine(rank, dtype)[1]] * size, dist.ReduceOp.PRODUCT)
    same(part, x[1])
for op, expected in ((dist.ReduceOp.SUM, [True, True, False]), (dist.ReduceOp.PRODUCT, [True, False, False]),
                     (dist.ReduceOp.BXOR, [size % 2 == 1, True, False])):
    x = mg.tensor([True, rank == 0, False])
    dist.all_reduce(x, op)
    same(x, mg.tensor(expected))
refused(lambda: dist.all_reduce(mine(0), dist.ReduceOp.PREMUL_SUM), ValueError, "PREMUL_SUM")
refused(lambda: dist.all_reduce(mine(0, mg.complex64), dist.ReduceOp.MAX), RuntimeError, "MAX is not defined for .*complex64")

# Tensors that do not lie in one piece, and what in-place writing means.
base = mg.zeros(4, 6)
part = base[1:3, ::2]
part.copy_(mine(rank))
dist.all_reduce(part)
same(base[1:3, ::2], fold(lambda a, b: a + b, mg.float32))
assert base[0].tolist() == [0] * 6 and base[1, 1::2].tolist() == [0] * 3
turned = mine(rank).t().contiguous().t()
dist.broadcast(turned, 0)
same(turned, mine(0))
scalar = mg.tensor(float(rank))
dist.all_reduce(scalar)
assert scalar.item() == sum(everyone)
empty = mg.zeros(0, 3)
dist.all_reduce(empty)
leaf = mg.ones(2, requires_grad=True)
dist.all_reduce(leaf)
assert leaf.is_leaf and leaf.tolist() == [size] * 2
x = mg.ones(2, requires_grad=True) * 1
saved = x.exp()
dist.all_reduce(saved)
refused(lambda: saved.sum().backward(), RuntimeError, "all_reduce")

# From each to all, from all to one, and what is between.
for dtype in (mg.float32, HALF, mg.bool, mg.complex128):
    x, outputs = mine(rank, dtype), [mg.zeros(2, 3, dtype=dtype) for _ in everyone]
    dist.all_gather(outputs, x)
    for r in everyone:
        same(outputs[r], mine(r, dtype))
    whole = mg.zeros(2 * size, 3, dtype=dtype)
    dist.all_gather_into_tensor(whole, x)
    same(whole, mg.cat(outputs))
    outputs = [mg.zeros(3, 2, dtype=dtype).t() for _ in everyone]
    dist.gather(x, outputs if rank == 1 else None, dst=1)
    assert [t.tolist() for t in outputs] == [(mine(r, dtype) if rank == 1 else mg.zeros(2, 3, dtype=dtype)).tolist()
                                             for r in everyone]
    part = mg.zeros(2, 3, dtype=dtype)
    dist.scatter(part, [mine(10 + r, dtype) for r in everyone] if rank == 0 else None)
    same(part, mine(10 + rank, dtype))
    outputs = [mg.zeros(2, 3, dtype=dtype) for _ in everyone]
    dist.all_to_all(outputs, [mine(rank + 7 * r, dtype) for r in everyone])
    for r in everyone:
        same(outputs[r], mine(r + 7 * rank, dtype))
ragged = [mg.zeros(r + 1) for r in everyone]
dist.all_gather(ragged, mg.full((rank + 1,), float(rank)))
assert [t.tolist() for t in ragged] == [[float(r)] * (r + 1) for r in everyone]
outputs = [mg.zeros(rank + 1) for _ in everyone]
dist.all_to_all(outputs, [mg.full((r + 1,), float(rank)) for r in everyone])
assert [t.tolist() for t in outputs] == [[float(r)] * (rank + 1) for r in everyone]
lines = mg.zeros(sum(everyone) + size if rank == 0 else 0, 2)
dist.all_to_all_single(lines, mg.full((rank + 1, 2), float(rank)), [r + 1 for r in everyone] if rank == 0 else [0] * size,
                       [rank + 1] + [0] * (size - 1))
assert lines[:, 0].tolist() == ([float(r) for r in everyone for _ in range(r + 1)] if rank == 0 else [])
output = mg.zeros(3)
dist.reduce_scatter(output, [mine(rank)[0] * (r + 1) for r in everyone])
same(output, fold(lambda a, b: a + b, mg.float32)[0] * (rank + 1))
for dtype in (mg.float32, mg.int16):
    output = mg.zeros(rank + 1, dtype=dtype)  # parts of several sizes
    dist.reduce_scatter(output, [mine(rank, dtype)[0, :1].expand(r + 1) for r in everyone])
    same(output, fold(lambda a, b: a + b, dtype)[0, :1].expand(rank + 1))
output = mg.zeros(3)
dist.reduce_scatter_tensor(output, mg.cat([mine(rank)[0] for _ in everyone]), dist.ReduceOp.AVG)
same(output, fold(lambda a, b: a + b, mg.float32)[0] / size)

# Under way while something else happens.
works = [dist.all_reduce(mine(rank), async_op=True) for _ in range(3)]
x, y = mine(rank), mine(rank, HALF)
first, second = dist.all_reduce(x, async_op=True), dist.broadcast(y, 1, async_op=True)
assert second.wait() and first.wait() and first.is_completed() and first.is_success()
same(x, fold(lambda a, b: a + b, mg.float32))
same(y, mine(1, HALF))
assert all(work.wait() for work in works)
barrier = dist.barrier(async_op=True)
assert barrier is not None and barrier.wait()

# From one to one.
after, before = (rank + 1) % size, (rank - 1) % size
for dtype in (mg.float32, HALF):
    x = mg.zeros(2, 3, dtype=dtype)
    work = dist.isend(mine(rank, dtype), after, tag=3)
    assert dist.recv(x, before, tag=3) == before and work.wait()
    same(x, mine(before, dtype))
x, y = mg.zeros(2, 3), mg.zeros(3, 2).t()
for work in dist.batch_isend_irecv([dist.P2POp(dist.isend, mine(rank), after), dist.P2POp(dist.irecv, y, before)]):
    work.wait()
same(y, mine(before))
if BY_NCCL:
    refused(lambda: dist.recv(x), RuntimeError, rf"process {rank} of {size}: recv\(src=any, .* from a process that is named")
elif rank == 0:
    assert {dist.recv(x) for _ in range(size - 1)} == set(range(1, size))
else:
    dist.send(x, 0)
if rank < 2:  # each sends before it receives
    large, other = mg.full((100_000,), float(rank)), mg.zeros(100_000)
    work = dist.isend(large, 1 - rank, tag=4)
    dist.recv(other, 1 - rank, tag=4)
    assert work.wait() and (other == 1 - rank).all()
refused(lambda: dist.send(x, rank), ValueError, f"process {rank} of {size}: send: dst must be another process")
refused(lambda: dist.send(x, size), ValueError, f"not {size}")

# Objects.
box: list[Any] = [None] * size
dist.all_gather_object(box, {"rank": rank, "long": "x" * 1000 * rank})
assert [o["rank"] for o in box] == list(everyone) and [len(o["long"]) for o in box] == [1000 * r for r in everyone]
box = [None] * size
dist.gather_object((rank,), box if rank == 1 else None, dst=1)
assert box == ([(r,) for r in everyone] if rank == 1 else [None] * size)
box = ["a", mg.ones(2)] if rank == 1 else [None, None]
dist.broadcast_object_list(box, src=1)
assert box[0] == "a" and box[1].tolist() == [1, 1]
box = [None]
dist.scatter_object_list(box, [f"for {r}" for r in everyone] if rank == 0 else None)
assert box == [f"for {rank}"]

# Groups of some.
pair = dist.new_group([1, 0])
if rank < 2:
    assert (pair.rank(), pair.size(), dist.get_process_group_ranks(pair)) == (rank, 2, [0, 1])
    x = mine(rank)
    dist.all_reduce(x, group=pair)
    same(x, mine(0) + mine(1))
else:
    assert pair == dist.GroupMember.NON_GROUP_MEMBER and dist.get_rank(pair) == dist.get_world_size(pair) == -1
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert dist.all_reduce(x, group=pair) is None
    assert f"Running all_reduce on global rank {rank} which does not belong" in str(seen[0].message)
turned_pair = dist.new_group([1, 0], sort_ranks=False)
if rank < 2:
    assert dist.get_rank(turned_pair) == 1 - rank and dist.get_global_rank(turned_pair, 0) == 1
    x = mine(rank)
    dist.broadcast(x, src=1, group=turned_pair)
    same(x, mine(1))
    dist.broadcast(x, group_src=1, group=turned_pair)
    refused(lambda: dist.broadcast(x, src=7, group=turned_pair), ValueError, r"which are \[1, 0\], not 7")
    dist.destroy_process_group(turned_pair)
refused(lambda: dist.new_group([0, size]), ValueError, "ranks are")

# Where the tensors are.
if BY_NCCL:
    words = rf"process {rank} of {size}: broadcast\(src=0\) of float32 \[2\]: NCCL exchanges .* on {device}, .* is on cpu"
    refused(lambda: dist.broadcast(mg.zeros(2, device="cpu"), 0), RuntimeError, words)
    if BY_MPI:
        on_host = dist.new_group(backend="gloo")
        x = mg.full((2,), float(rank), device="cpu")
        dist.all_reduce(x, group=on_host)
        assert x.tolist() == [sum(everyone)] * 2 and x.is_cpu and dist.get_backend(on_host) == "gloo"
    else:
        refused(lambda: dist.new_group(backend="gloo"), RuntimeError, "MPI, which has not started")
elif not dist.is_nccl_available():
    refused(lambda: dist.new_group(backend="nccl"), RuntimeError, "NCCL cannot be used: process 0: NCCL .* needs CuPy")

# What goes wrong is found before anything is exchanged, and says who differs; the group goes on.
words = rf"process {rank} of {size}: the processes of a group must call the same"
refused(lambda: dist.all_reduce(mg.zeros(2 + (rank == 1))), RuntimeError, words, r"process 1: all_reduce\(SUM\) of float32 \[3\]")
refused(lambda: dist.all_reduce(mg.zeros(2, dtype=mg.float64 if rank == 1 else mg.float32)), RuntimeError, words, "float64")
refused(lambda: dist.all_reduce(mg.zeros(2)) if rank else dist.broadcast(mg.zeros(2), 0), RuntimeError, words,
        r"process 0: broadcast\(src=0\) of float32 \[2\]")
refused(lambda: dist.all_gather([mg.zeros(2)], mg.zeros(2)), ValueError, f"process {rank} of {size}: .*has {size}; it has 1")
refused(lambda: dist.all_gather([mg.zeros(3)] * size, mg.zeros(2)), RuntimeError, r"shape \(3,\).*shape \(2,\)")
if rank != 1:
    who = r"\[1\]" if BY_MPI else "some"
    late = rf"process {rank} of {size}: barrier has waited 1 seconds for the other processes, of which {who} have not called it"
    refused(lambda: dist.barrier(timeout=datetime.timedelta(seconds=1)), RuntimeError, late)
else:
    import time
    time.sleep(2)
    dist.barrier()
dist.barrier()
dist.destroy_process_group()
assert not dist.is_initialized()
begin(datetime.timedelta(seconds=60))
x = mine(rank)
dist.all_reduce(x)
same(x, fold(lambda a, b: a + b, mg.float32))
dist.destroy_process_group()
print(f"process {rank} has checked everything")
