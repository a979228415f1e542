"""Stands in for ``cupy.cuda.nccl``: collectives between processes, in the queues of stand-in GPUs, with bytes that MPI moves.

It asks what NCCL asks: memory of the communicator's GPU, which lives until the exchange is done; types and operations by NCCL's
numbers; a queue in which each call begins when the one before it is done, so that two processes that first send to each other
wait for ever; calls in a group begin together; a queue that waits for what the program has computed; nothing under way when a
communicator is split. As on a GPU, what arrives is there when the queue of who reads it waits for it.
"""

from __future__ import annotations

import ctypes
import hashlib
import itertools
import os
from typing import Any, Callable

import numpy as np
from mpi4py import MPI

from tests import fake_cuda

available = True
UNIQUE_ID_BYTES = 128
(NCCL_INT8, NCCL_UINT8, NCCL_INT32, NCCL_UINT32, NCCL_INT64, NCCL_UINT64, NCCL_FLOAT16, NCCL_FLOAT32,
 NCCL_FLOAT64) = range(9)
NCCL_SUM, NCCL_PROD, NCCL_MAX, NCCL_MIN = range(4)
DTYPES = dict(enumerate(map(np.dtype, ("i1", "u1", "i4", "u4", "i8", "u8", "f2", "f4", "f8"))))
OPERATIONS = {NCCL_SUM: MPI.SUM, NCCL_PROD: MPI.PROD, NCCL_MAX: MPI.MAX, NCCL_MIN: MPI.MIN}
serial = itertools.count(1)


class NcclError(RuntimeError):
    """Stands in for NCCL's error, which has a number."""

    NAMES = {1: "UNHANDLED_CUDA_ERROR", 4: "INVALID_ARGUMENT", 5: "INVALID_USAGE", 6: "REMOTE_ERROR"}

    def __init__(self, status: int, why: str) -> None:
        self.status = status
        super().__init__(f"NCCL_ERROR_{self.NAMES[status]}: {why}")


def require(truth: Any, why: str, status: int = 4) -> None:
    if not truth:
        raise NcclError(status, why)


def get_version() -> int:
    return 23007


def get_unique_id() -> bytes:
    """As NCCL's: of a meeting point, the same in all processes, where the environment names one."""
    place = os.environ.get("NCCL_COMM_ID")
    words = f"0 {place}" if place else f"{MPI.COMM_WORLD.rank} {os.getpid()} {next(serial)}"
    return words.encode().ljust(UNIQUE_ID_BYTES, b"\0")


# ------------------------------------------------------------------------------------------------------------------- memory

class Memory:
    """`count` elements of a type from an address on, which must be in an array on this GPU."""

    def __init__(self, address: int, count: int, datatype: int) -> None:
        require(datatype in DTYPES, f"invalid type {datatype}")
        require(count >= 0, f"invalid count {count}")
        self.dtype, self.address, self.size = DTYPES[datatype], address, count * DTYPES[datatype].itemsize
        self.owner = self.find() if count else None

    def find(self) -> Any:
        from tests import standin
        for reference, gpu, _ in [*fake_cuda.pool.live.values()]:
            array = reference()
            if array is not None and gpu == fake_cuda.current():
                first, last = np.lib.array_utils.byte_bounds(standin.root(array._host))
                if first <= self.address and self.address + self.size <= last:
                    return reference
        raise NcclError(4, "the address is not in memory of the current GPU")

    def values(self) -> Any:
        """What is there, to be read and written."""
        if not self.size:
            return np.empty(0, self.dtype)
        assert self.owner() is not None, "the memory was given up while NCCL used it"
        return np.frombuffer((ctypes.c_char * self.size).from_address(self.address), self.dtype)


# ------------------------------------------------------------------------------------------------------------------- queues

class Operation:
    """Calls that begin together, when what is before them in their queue is done."""

    def __init__(self, comm: NcclCommunicator, begin: list[Callable[[Operation], list[Any]]]) -> None:
        self.comm, self.begin = comm, begin
        self.requests: list[Any] | None = None
        self.finish: list[Callable[[], None]] = []
        self.done = False

    def go_on(self) -> bool:
        """Whether it is done, which it becomes by asking."""
        with fake_cuda.looking:
            if self.comm.aborted:
                self.done = True
            if not self.done:
                if self.requests is None:
                    self.requests = [request for call in self.begin for request in call(self)]
                if all([request.Test() for request in self.requests]):
                    for write in self.finish:
                        write()
                    self.done = True
        return self.done


depth = 0
collected: list[tuple[NcclCommunicator, int, Callable[[Operation], list[Any]]]] = []


def groupStart() -> None:
    global depth
    depth += 1


def groupEnd() -> None:
    global depth
    require(depth, "groupEnd without groupStart", 5)
    depth -= 1
    if not depth:
        calls = collected[:]
        collected.clear()
        enqueue(calls)


def call(comm: NcclCommunicator, stream: int, begin: Callable[[Operation], list[Any]]) -> None:
    require(comm._comm is not None, "the communicator was destroyed")
    require(fake_cuda.current() == comm.gpu, "the communicator is another GPU's", 5)
    if depth:
        collected.append((comm, stream, begin))
    else:
        enqueue([(comm, stream, begin)])


def enqueue(calls: list[tuple[NcclCommunicator, int, Callable[[Operation], list[Any]]]]) -> None:
    for comm, pointer in dict.fromkeys((comm, pointer) for comm, pointer, _ in calls):
        stream = fake_cuda.get_current_stream()
        assert stream.ptr == pointer, "the call goes to another queue than what belongs to it"
        assert stream.waited and stream.waited[-1].time > comm.called, "the queue does not wait for what the program has computed"
        comm.called = next(fake_cuda.serial)
        operation = Operation(comm, [begin for c, _, begin in calls if c is comm])
        stream._work.append(operation)
        comm.under_way.append(operation)
        fake_cuda.go_on(stream)


# ------------------------------------------------------------------------------------------------------------ communicators

class NcclCommunicator:
    """Stands in for ``cupy.cuda.nccl.NcclCommunicator``: `ndev` processes that give one id.

    `rank` is which of them this is."""

    def __init__(self, ndev: int, commId: bytes, rank: int, config: Any = None) -> None:
        require(isinstance(commId, bytes) and len(commId) == UNIQUE_ID_BYTES, "invalid id")
        require(0 <= rank < ndev, f"invalid rank {rank}")
        root, tag = int(commId.split()[0]), int.from_bytes(hashlib.md5(commId).digest()[:2], "big") >> 1
        world = MPI.COMM_WORLD
        mine = (rank, world.rank, f"{os.uname().nodename} {fake_cuda.bus_id(fake_cuda.current())}")
        if world.rank == root:
            every = sorted([mine, *[world.recv(tag=tag) for _ in range(ndev - 1)]])
            for _, other, _ in every:
                if other != root:
                    world.send(every, other, tag)
        else:
            world.send(mine, root, tag)
            every = world.recv(source=root, tag=tag)
        require([r for r, _, _ in every] == list(range(ndev)), "two processes have one rank", 5)
        require(len({gpu for _, _, gpu in every}) == ndev, "Duplicate GPU detected", 5)
        self._made(world.Create_group(world.group.Incl([other for _, other, _ in every]), tag))

    def _made(self, comm: Any) -> None:
        self._comm, self.gpu, self.aborted, self.called = comm, fake_cuda.current(), False, 0
        self.under_way: list[Operation] = []

    def rank_id(self) -> int:
        return self._comm.rank  # type: ignore[no-any-return]

    def size(self) -> int:
        return self._comm.size  # type: ignore[no-any-return]

    def device_id(self) -> int:
        return self.gpu

    def commSplit(self, color: int, key: int, config: Any = None) -> NcclCommunicator | None:
        assert all(operation.done for operation in self.under_way), "something is under way"
        comm = self._comm.Split(MPI.UNDEFINED if color == -1 else color, key)
        if color == -1:
            return None
        made = object.__new__(NcclCommunicator)
        made._made(comm)
        return made

    def destroy(self) -> None:
        self._comm = None

    def abort(self) -> None:
        self.aborted, self._comm = True, None

    def check_async_error(self) -> None:
        require(self._comm is not None, "the communicator was destroyed")

    def allReduce(self, sendbuf: int, recvbuf: int, count: int, datatype: int, op: int, stream: int) -> None:
        require(op in OPERATIONS, f"invalid operation {op}")
        sent, received = Memory(sendbuf, count, datatype), Memory(recvbuf, count, datatype)
        self._arrives(stream, received, lambda into: self._comm.Iallreduce(sent.values().copy(), into, OPERATIONS[op]))

    def reduce(self, sendbuf: int, recvbuf: int, count: int, datatype: int, op: int, root: int, stream: int) -> None:
        require(op in OPERATIONS, f"invalid operation {op}")
        require(0 <= root < self.size(), f"invalid root {root}")
        sent, here = Memory(sendbuf, count, datatype), self.rank_id() == root
        received = Memory(recvbuf if here else sendbuf, count, datatype)
        self._arrives(stream, received if here else None, lambda into: self._comm.Ireduce(
            sent.values().copy(), into if here else None, OPERATIONS[op], root), received.values)

    def broadcast(self, sendbuff: int, recvbuff: int, count: int, datatype: int, root: int, stream: int) -> None:
        require(0 <= root < self.size(), f"invalid root {root}")
        here = self.rank_id() == root
        sent, received = Memory(sendbuff if here else recvbuff, count, datatype), Memory(recvbuff, count, datatype)

        def begin(into: Any) -> Any:
            if here:
                into[...] = sent.values()
            return self._comm.Ibcast(into, root)
        self._arrives(stream, received, begin)

    def reduceScatter(self, sendbuf: int, recvbuf: int, recvcount: int, datatype: int, op: int, stream: int) -> None:
        require(op in OPERATIONS, f"invalid operation {op}")
        sent, received = Memory(sendbuf, recvcount * self.size(), datatype), Memory(recvbuf, recvcount, datatype)
        self._arrives(stream, received, lambda into: self._comm.Ireduce_scatter_block(sent.values().copy(), into, OPERATIONS[op]))

    def allGather(self, sendbuf: int, recvbuf: int, count: int, datatype: int, stream: int) -> None:
        sent, received = Memory(sendbuf, count, datatype), Memory(recvbuf, count * self.size(), datatype)
        self._arrives(stream, received, lambda into: self._comm.Iallgather(sent.values().copy(), into))

    def send(self, sendbuf: int, count: int, datatype: int, peer: int, stream: int) -> None:
        require(0 <= peer < self.size(), f"invalid rank {peer}")
        require(peer != self.rank_id() or depth, "a process sends to itself in a group only", 5)
        sent = Memory(sendbuf, count, datatype)
        call(self, stream, lambda operation: [self._comm.Issend(sent.values().copy(), peer)])

    def recv(self, recvbuf: int, count: int, datatype: int, peer: int, stream: int) -> None:
        require(0 <= peer < self.size(), f"invalid rank {peer}")
        self._arrives(stream, Memory(recvbuf, count, datatype), lambda into: self._comm.Irecv(into, peer))

    def _arrives(self, stream: int, received: Memory | None, begin: Callable[[Any], Any],
                 like: Callable[[], Any] | None = None) -> None:
        """A call that `begin` begins with room for what arrives, which is written to `received` when it is done."""
        def start(operation: Operation) -> list[Any]:
            room = np.empty_like(like() if received is None and like is not None else received.values())  # type: ignore[union-attr]

            def write() -> None:
                if received is not None:
                    received.values()[...] = room
            operation.finish.append(write)
            return [begin(room)]
        call(self, stream, start)

