"""The communicator of several processes by MPI; the one place that imports mpi4py."""

from __future__ import annotations

import functools
import os
import sys
import time
import zlib
from typing import Any, Callable, Sequence

import numpy as np

from minigrad import _arrays
from minigrad.distributed.communicator import Differ, Done
from minigrad.distributed.ending import end_job_on_error
from minigrad.errors import DistBackendError, InvalidValueError, MissingPackageError, missing_extra

__all__ = ["MpiCommunicator", "is_installed", "is_launched", "world"]

# What launchers of MPI leave in the environment of the processes that they start: Open MPI, MPICH and Slurm, others by PMIx.
MARKS = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMI_RANK", "PMIX_RANK", "MV2_COMM_WORLD_SIZE")


def is_launched() -> bool:
    """Whether a launcher of MPI started this process, or the program has begun with MPI by itself."""
    module = sys.modules.get("mpi4py.MPI")
    return any(mark in os.environ for mark in MARKS) or (module is not None and module.Is_initialized())


@functools.cache
def library() -> Any:
    """``mpi4py.MPI``, not yet initialized unless the program has done so. Raises ``ImportError`` where there is no MPI."""
    if "mpi4py.MPI" not in sys.modules:
        try:
            import mpi4py
        except ImportError:
            raise missing_extra("a group of several processes", "mpi4py", "mpi") from None
        mpi4py.rc.initialize = False  # but at the first group, and
        mpi4py.rc.finalize = True  # to the end of Python
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise MissingPackageError(f"a group of several processes needs a library of MPI, and mpi4py finds none ({error}): "
                                  f"install one from your distribution (openmpi-bin, mpich) or by pip (pip install mpich)"
                                  ) from error
    return MPI


def is_installed() -> bool:
    """Whether there is mpi4py with a library of MPI."""
    try:
        library()
    except ImportError:
        return False
    return True


def world() -> MpiCommunicator:
    """The communicator of all processes that were launched together. MPI is initialized if it was not, and ends with Python."""
    MPI = library()
    if not MPI.Is_initialized():
        MPI.Init_thread(MPI.THREAD_MULTIPLE)
    return MpiCommunicator(MPI.COMM_WORLD.Dup())


class MpiCommunicator:
    """The processes of a communicator of mpi4py's: those of each group have three of their own, for what they exchange, for
    whether they agree on that, and for notes of who waits."""

    device = _arrays.CPU

    def __init__(self, comm: Any) -> None:
        self.MPI = library()
        self.comm, self.checks, self.notes = comm, comm.Dup(), comm.Dup()
        self.rank, self.size = comm.rank, comm.size
        self.calls = 0  # how many exchanges this process has begun
        self.heard = [-1] * self.size  # and how many others had when they last wrote that they wait
        self.sent: list[Any] = []

    def split(self, members: Sequence[int], is_member: bool) -> MpiCommunicator | None:
        color = 0 if is_member else self.MPI.UNDEFINED
        comm = self.comm.Split(color, members.index(self.rank) if is_member else 0)
        return MpiCommunicator(comm) if is_member else None

    def in_host_memory(self, backend: str) -> MpiCommunicator:
        return self

    def twin(self) -> MpiCommunicator:
        return MpiCommunicator(self.comm.Dup())

    def free(self) -> None:
        self.who_waits()  # takes what was written and not read
        for comm in (self.comm, self.checks, self.notes):
            comm.Free()

    # ------------------------------------------------------------------------------------------------------------ exchanges

    def broadcast(self, array: Any, root: int) -> Done:
        return progress(self.comm.Ibcast(bits(array), root), array)

    def all_reduce(self, array: Any, op: str) -> Done:
        return progress(self.comm.Iallreduce(self.MPI.IN_PLACE, array, self.operation(op)), array)

    def reduce(self, array: Any, op: str, root: int) -> Done:
        sent, received = (self.MPI.IN_PLACE, array) if self.rank == root else (array, None)
        return progress(self.comm.Ireduce(sent, received, self.operation(op), root), array)

    def reduce_scatter(self, output: Any, input: Any, counts: Sequence[int], op: str) -> Done:
        return progress(self.comm.Ireduce_scatter(input, output, counts, self.operation(op)), input, output)

    def all_gather(self, output: Any, counts: Sequence[int], input: Any) -> Done:
        return progress(self.comm.Iallgatherv(bits(input), [bits(output), counts]), input, output)

    def gather(self, output: Any, counts: Sequence[int], input: Any, root: int) -> Done:
        received = [bits(output), counts] if self.rank == root else None
        return progress(self.comm.Igatherv(bits(input), received, root), input, output)

    def scatter(self, output: Any, input: Any, counts: Sequence[int], root: int) -> Done:
        sent = [bits(input), counts] if self.rank == root else None
        return progress(self.comm.Iscatterv(sent, bits(output), root), input, output)

    def all_to_all(self, output: Any, output_counts: Sequence[int], input: Any, input_counts: Sequence[int]) -> Done:
        return progress(self.comm.Ialltoallv([bits(input), input_counts], [bits(output), output_counts]), input, output)

    def send(self, array: Any, to: int, tag: int) -> Done:
        return progress(self.comm.Isend(bits(array), to, tag), array)

    def receive(self, array: Any, source: int | None, tag: int) -> tuple[Done, Callable[[], int]]:
        status = self.MPI.Status()
        request = self.comm.Irecv(bits(array), self.MPI.ANY_SOURCE if source is None else source, tag)
        return progress(request, array, status=status), status.Get_source

    def begin_sending(self) -> None:
        pass  # each has begun

    def settle(self) -> None:
        pass

    def operation(self, op: str) -> Any:
        return self.MPI.PROD if op == "PRODUCT" else getattr(self.MPI, op)

    # ------------------------------------------------------------------------------------------------------------ agreement

    def same(self, words: str) -> Done:
        self.calls += 1
        number = zlib.crc32(words.encode())
        seen = np.array([number, -number], np.int64)
        compared = progress(self.checks.Iallreduce(self.MPI.IN_PLACE, seen, self.MPI.MAX), seen)

        def done() -> bool:
            if not compared():
                return False
            if seen[0] != -seen[1]:
                raise Differ
            return True
        return done

    def who_said_what(self, words: str) -> list[str]:
        return self.checks.allgather(words)  # type: ignore[no-any-return]

    def tell_waiting(self) -> None:
        self.who_waits()
        self.sent = [request for request in self.sent if not request.Test()]
        self.sent += [self.notes.isend(self.calls, other) for other in range(self.size) if other != self.rank]

    def who_waits(self) -> list[int] | None:
        status = self.MPI.Status()
        while self.notes.Iprobe(status=status):
            self.heard[status.Get_source()] = self.notes.recv(source=status.Get_source())
        return [r for r in range(self.size) if r == self.rank or self.heard[r] >= self.calls]

    # ------------------------------------------------------------------------------------------------------------ the job

    def end_job_on_error(self) -> Any:
        return end_job_on_error(self.rank, self.size, self.end_job)

    def end_job(self) -> None:
        time.sleep(0.2)  # in which the launcher passes on what was written
        self.MPI.COMM_WORLD.Abort(1)


def progress(request: Any, *arrays: Any, status: Any = None) -> Done:
    """Whether `request` is done; it keeps the `arrays` that are exchanged. Raises ``RuntimeError`` where MPI fails."""
    def done() -> bool:
        try:
            return request.Test(status)  # type: ignore[no-any-return]
        except Exception as error:
            raise DistBackendError(f"MPI: {error}") from error
    done.arrays = arrays  # type: ignore[attr-defined]
    return done


def bits(array: Any) -> Any:
    """`array`, of a dtype that MPI knows: numbers that it does not know as unsigned integers of their size."""
    if array is None or array.dtype.kind in "biufc" and array.dtype != np.float16:
        return array
    if array.itemsize > 8:
        raise InvalidValueError(f"tensors of {array.dtype} cannot be exchanged")
    return array.view(f"u{array.itemsize}")
