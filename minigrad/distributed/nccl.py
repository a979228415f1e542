"""The communicator of several GPUs by NCCL, through CuPy: each process has one GPU.

NCCL moves and adds up what lies in a GPU's memory, in a queue of its own: an exchange begins when the GPU has done what this
thread had asked of it before, and what comes after it waits for it, while the thread goes on. What processes must know of each
other otherwise (where they meet, whether they call the same, who is late) goes through MPI, if that has started them, or else
through a second communicator of NCCL's.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import weakref
import zlib
from typing import Any, Callable, Iterator, Sequence

import numpy as np

from minigrad import _arrays
from minigrad._arrays.library import CupyLibrary
from minigrad._arrays.nccl import is_installed, library_with_nccl
from minigrad.distributed.communicator import Differ, Done, Queued
from minigrad.distributed.ending import end_job_on_error, say
from minigrad.distributed.mpi import MpiCommunicator
from minigrad.errors import DeviceError, DistBackendError, InvalidValueError

__all__ = ["NcclCommunicator", "beside", "is_available", "is_installed", "meet", "own_gpu", "version"]

TYPES = {"i1": "INT8", "u1": "UINT8", "i4": "INT32", "u4": "UINT32", "i8": "INT64", "u8": "UINT64", "f4": "FLOAT32",
         "f8": "FLOAT64", "c8": "FLOAT32", "c16": "FLOAT64"}  # what NCCL calls NumPy's numbers; complex ones are pairs
WIDER = {"i2": np.int32, "u2": np.uint32}  # what numbers that NCCL does not know are added up as, with the same result
OPERATIONS = {"SUM": "SUM", "PRODUCT": "PROD", "MIN": "MIN", "MAX": "MAX"}
OTHERS: dict[str, Callable[[Any, Any], Any]] = {"PRODUCT": np.multiply, "BAND": np.bitwise_and, "BOR": np.bitwise_or,
                                                "BXOR": np.bitwise_xor}  # which NCCL does not have, or not for all numbers
LOOK = 0.5  # seconds between two looks at what is under way
SLACK = 5.0  # seconds that a program has to say itself that an exchange takes too long


# ----------------------------------------------------------------------------------------------------------- what there is

def version() -> tuple[int, int, int]:
    """NCCL's version, such as (2, 27, 7). Raises ``RuntimeError`` where it is not there."""
    number = int(library_with_nccl(_arrays.Device("cuda")).xp.cuda.nccl.get_version())
    return number // 10000, number // 100 % 100, number % 100


def is_available(tensors: Sequence[Any]) -> bool:
    """Whether NCCL could exchange `tensors`: they lie in one piece each, on GPUs, no two on one."""
    devices = [t.device for t in tensors]
    return (is_installed() and len(set(devices)) == len(devices)
            and all(device.type == "cuda" and t.is_contiguous() for t, device in zip(tensors, devices)))


def own_gpu(local_rank: int) -> _arrays.Device:
    """The GPU of this process, number `local_rank` of those on its machine, where it is not named: the current one if the program
    has chosen it; else the one with the process's number, or the only one that the process sees."""
    try:
        gpus = library_with_nccl(_arrays.Device("cuda")).gpus
    except DistBackendError:
        return _arrays.Device("cuda")  # of which the caller says what is missing
    if gpus.current() or gpus.count() == 1:
        return _arrays.Device("cuda", gpus.current())
    return _arrays.Device("cuda", local_rank)


# -------------------------------------------------------------------------------------------------- how processes find each other

def beside(control: MpiCommunicator, device: _arrays.Device) -> NcclCommunicator:
    """The communicator of the processes of `control`, each with its `device`. All must call it; where one cannot take part, all
    raise ``RuntimeError`` that says which, and why."""
    problem, place = "", ""
    try:
        library = library_with_nccl(device)
        device = library.resolve(device)
        place = f"{device} of {os.uname().nodename} ({library.xp.cuda.runtime.deviceGetPCIBusId(device.index)})"
    except (DistBackendError, DeviceError) as error:
        problem = str(error)
    problems = control.who_said_what(problem)
    if any(problems):
        raise DistBackendError("init_process_group: NCCL cannot be used: " + "; ".join(
            f"process {rank}: {words}" for rank, words in enumerate(problems) if words))
    places = control.who_said_what(place)
    for rank, here in enumerate(places):
        if places.index(here) < rank:
            raise DistBackendError(f"init_process_group: processes {places.index(here)} and {rank} both have {here}, and NCCL "
                                   "wants one GPU for each process: pass device_id, or start as many processes as there are GPUs")
    with library.gpus.on(device.index):
        nccl = library.xp.cuda.nccl
        identity = control.who_said_what(nccl.get_unique_id().hex() if control.rank == 0 else "")[0]
        comm = made(lambda: nccl.NcclCommunicator(control.size, bytes.fromhex(identity), control.rank))
    library.gpus.use(library.gpus.number(device.index))
    return NcclCommunicator(library, device, comm, control)


def meet(rank: int, size: int, init_method: str | None, device: _arrays.Device) -> NcclCommunicator:
    """The communicator of `size` processes that MPI has not started, of which this is number `rank`. NCCL lets them meet, at the
    address of process 0 that the environment or `init_method` gives."""
    library = library_with_nccl(device)
    device = library.resolve(device)
    nccl = library.xp.cuda.nccl
    before = os.environ.get("NCCL_COMM_ID")
    os.environ["NCCL_COMM_ID"] = before or meeting_point(init_method)
    try:
        with library.gpus.on(device.index):
            comm = made(lambda: nccl.NcclCommunicator(size, nccl.get_unique_id(), rank))
            second = made(lambda: comm.commSplit(0, rank))
    finally:
        del os.environ["NCCL_COMM_ID"]  # it is for one communicator
        if before is not None:
            os.environ["NCCL_COMM_ID"] = before
    library.gpus.use(library.gpus.number(device.index))
    return NcclCommunicator(library, device, comm, ControlByNccl(Exchanges(library, device, second)))


def meeting_point(init_method: str | None) -> str:
    """Where process 0 can be found, as NCCL's variable says it."""
    if init_method is not None and init_method != "env://":
        scheme, _, place = init_method.partition("://")
        if scheme != "tcp" or ":" not in place:
            raise InvalidValueError("init_process_group: init_method must be 'tcp://host:port', with the address of process 0, "
                                    f"or 'env://', not {init_method!r}")
        return place
    host, port = os.environ.get("MASTER_ADDR"), os.environ.get("MASTER_PORT")
    if host is None or port is None:
        raise DistBackendError("init_process_group: NCCL's processes must know where process 0 is: set MASTER_ADDR and "
                               "MASTER_PORT in their environment, pass init_method='tcp://host:port', or start them by mpiexec "
                               "or torchrun")
    # torchrun itself listens at its port, for as long as it lives.
    return f"{host}:{int(port) + (os.environ.get('TORCHELASTIC_USE_AGENT_STORE') == 'True')}"


def made(make: Callable[[], Any]) -> Any:
    """The communicator of CuPy's that `make` makes. Raises ``RuntimeError`` with what NCCL says."""
    try:
        return make()
    except RuntimeError as error:
        raise DistBackendError(f"init_process_group: NCCL: {error}. Set NCCL_DEBUG=INFO in the environment to see more; one "
                               "cause is that two processes have one GPU") from error


# ---------------------------------------------------------------------------------------------------------------- exchanges

class Exchange(Queued):
    """An exchange of `owner`'s, from when it is prepared; it keeps the `arrays` in place until the GPU is done with them."""

    def __init__(self, owner: Exchanges, *arrays: Any) -> None:
        self.owner, self.arrays = owner, list(arrays)
        self.mark: Any = None  # in the queue, behind the exchange
        self.began = 0.0

    def __call__(self) -> bool:
        self.owner.begin_sending()
        self.owner.refuse_ended()
        return bool(self.mark.done)

    def follow(self) -> None:
        self.owner.begin_sending()
        self.owner.refuse_ended()
        with self.owner.on_gpu():
            self.owner.gpus.current_stream(None).wait_event(self.mark)

    def give_up(self) -> None:
        self.owner.abort("an exchange that not all processes took part in was given up")


class Exchanges:
    """What `comm`, a communicator of CuPy's, exchanges, in a queue of its own on the GPU `device`."""

    def __init__(self, library: CupyLibrary, device: _arrays.Device, comm: Any) -> None:
        self.library, self.gpus, self.nccl = library, library.gpus, library.xp.cuda.nccl
        self.device, self.comm = device, comm
        self.rank, self.size = int(comm.rank_id()), int(comm.size())
        self.stream = self.gpus.new_stream(device.index, -1)  # of high priority: others wait for what it does
        self.prepared: list[tuple[Exchange, Callable[[], None]]] = []  # between two processes, which begin together
        self.under_way: list[Exchange] = []
        self.lock = threading.Lock()  # of that list
        self.ended = ""  # why there are no exchanges any more

    def on_gpu(self) -> Any:
        return self.gpus.on(self.device.index)

    def refuse_ended(self) -> None:
        if self.ended:
            raise DistBackendError(f"NCCL: {self.ended}: the group can only be destroyed")

    def queue(self, work: Callable[[], Any], *arrays: Any) -> Exchange:
        """Put `work`, a call of NCCL's with what belongs to it, into the queue. It uses the `arrays`, and what it returns."""
        self.begin_sending()
        exchange = Exchange(self, *arrays)
        self.begin([exchange], work)
        return exchange

    def begin(self, exchanges: list[Exchange], work: Callable[[], Any]) -> None:
        self.refuse_ended()
        with self.on_gpu():
            ready, mark = self.gpus.new_event(False, False, False), self.gpus.new_event(False, False, False)
            ready.record()
            self.stream.wait_event(ready)
            try:
                with self.stream:
                    exchanges[0].arrays.append(work())
            except self.nccl.NcclError as error:
                raise DistBackendError(f"NCCL: {error}") from error
            mark.record(self.stream)
        for exchange in exchanges:
            exchange.mark, exchange.began = mark, time.monotonic()
        self.look_back()
        with self.lock:
            self.under_way += exchanges

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """A block whose calls of NCCL's are one."""
        self.nccl.groupStart()
        try:
            yield
        finally:
            self.nccl.groupEnd()

    def pointers(self, array: Any, counts: Sequence[int]) -> list[tuple[int, int]]:
        """Where in memory each process's part of `array` begins, and how many bytes it has."""
        ends = np.cumsum(counts, dtype=np.int64) * array.itemsize
        return [(self.at(array) + int(end) - n * array.itemsize, n * array.itemsize) for end, n in zip(ends, counts)]

    def at(self, array: Any) -> int:
        return self.library.address_of(array)

    # Moved are bytes, whatever they mean.

    def broadcast(self, array: Any, root: int) -> Done:
        return self.queue(lambda: self.comm.broadcast(self.at(array), self.at(array), array.nbytes, self.nccl.NCCL_UINT8, root,
                                                      self.stream.ptr), array)

    def all_gather(self, output: Any, counts: Sequence[int], input: Any) -> Done:
        def work() -> None:
            if len(set(counts)) == 1:
                self.comm.allGather(self.at(input), self.at(output), input.nbytes, self.nccl.NCCL_UINT8, self.stream.ptr)
                return
            with self.together():
                for root, (there, size) in enumerate(self.pointers(output, counts)):
                    self.comm.broadcast(self.at(input) if root == self.rank else there, there, size, self.nccl.NCCL_UINT8, root,
                                        self.stream.ptr)
        return self.queue(work, output, input)

    def gather(self, output: Any, counts: Sequence[int], input: Any, root: int) -> Done:
        received = dict(enumerate(self.pointers(output, counts))) if self.rank == root else {}
        return self.swap({root: (self.at(input), input.nbytes)}, received, output, input)

    def scatter(self, output: Any, input: Any, counts: Sequence[int], root: int) -> Done:
        sent = dict(enumerate(self.pointers(input, counts))) if self.rank == root else {}
        return self.swap(sent, {root: (self.at(output), output.nbytes)}, output, input)

    def all_to_all(self, output: Any, output_counts: Sequence[int], input: Any, input_counts: Sequence[int]) -> Done:
        return self.swap(dict(enumerate(self.pointers(input, input_counts))),
                         dict(enumerate(self.pointers(output, output_counts))), output, input)

    def swap(self, sent: dict[int, tuple[int, int]], received: dict[int, tuple[int, int]], *arrays: Any) -> Exchange:
        """Send and receive at once: for each process where in memory, and how many bytes."""
        return self.queue(lambda: self.send_and_receive(sent, received), *arrays)

    def send_and_receive(self, sent: dict[int, tuple[int, int]], received: dict[int, tuple[int, int]]) -> None:
        with self.together():
            for other, (here, size) in sent.items():
                self.comm.send(here, size, self.nccl.NCCL_UINT8, other, self.stream.ptr)
            for other, (here, size) in received.items():
                self.comm.recv(here, size, self.nccl.NCCL_UINT8, other, self.stream.ptr)

    # Added up are numbers that NCCL knows.

    def all_reduce(self, array: Any, op: str) -> Done:
        def work() -> Any:
            if not self.knows(array, op):
                return self.folded(array, op, array)
            mine = widened(array)
            self.comm.allReduce(self.at(mine), self.at(mine), *self.numbers(mine), self.operation(op), self.stream.ptr)
            return narrow(mine, array)
        return self.queue(work, array)

    def reduce(self, array: Any, op: str, root: int) -> Done:
        def work() -> Any:
            here = self.rank == root
            if not self.knows(array, op):
                return self.folded(array, op, array if here else None)
            mine = widened(array)
            self.comm.reduce(self.at(mine), self.at(mine), *self.numbers(mine), self.operation(op), root, self.stream.ptr)
            return narrow(mine, array) if here else mine
        return self.queue(work, array)

    def reduce_scatter(self, output: Any, input: Any, counts: Sequence[int], op: str) -> Done:
        def work() -> Any:
            if not self.knows(input, op):
                every = np.empty((self.size, output.size), output.dtype, like=output)
                self.send_and_receive(dict(enumerate(self.pointers(input, counts))),
                                      dict(enumerate(self.pointers(every, [output.size] * self.size))))
                return fold(every, op, output)
            mine, made = widened(input), widened(output)
            if len(set(counts)) == 1:
                self.comm.reduceScatter(self.at(mine), self.at(made), *self.numbers(made), self.operation(op), self.stream.ptr)
            else:
                with self.together():
                    for root, (there, size) in enumerate(self.pointers(mine, counts)):
                        self.comm.reduce(there, self.at(made) if root == self.rank else there,
                                         *self.numbers(mine, size // mine.itemsize), self.operation(op), root, self.stream.ptr)
            return mine, narrow(made, output)
        return self.queue(work, output, input)

    def knows(self, array: Any, op: str) -> bool:
        """Whether NCCL has `op` for numbers such as those of `array`."""
        return op in OPERATIONS and not (op == "PRODUCT" and array.dtype.kind == "c")

    def numbers(self, array: Any, count: int | None = None) -> tuple[int, int]:
        """How many numbers of NCCL's `count` elements of `array` are, by default all, and of which type."""
        pair = 2 if array.dtype.kind == "c" else 1
        return (array.size if count is None else count) * pair, getattr(self.nccl, f"NCCL_{TYPES[array.dtype.str[1:]]}")

    def operation(self, op: str) -> int:
        return int(getattr(self.nccl, f"NCCL_{OPERATIONS[op]}"))

    def folded(self, array: Any, op: str, into: Any) -> Any:
        """Write what all processes have together, from what each has, to `into`, if that is not None."""
        every = np.empty((self.size, array.size), array.dtype, like=array)
        self.comm.allGather(self.at(array), self.at(every), array.nbytes, self.nccl.NCCL_UINT8, self.stream.ptr)
        return every if into is None else fold(every, op, into)

    # What goes from one process to another waits until somebody waits for it, or something else follows: then all begin at once.
    # One after the other, two processes that first send to each other would wait for each other, because each queue has an order.

    def send(self, array: Any, to: int, tag: int) -> Done:
        return self.prepare(array, lambda: self.send_and_receive({to: (self.at(array), array.nbytes)}, {}))

    def receive(self, array: Any, source: int | None, tag: int) -> tuple[Done, Callable[[], int]]:
        if source is None:
            raise DistBackendError("NCCL receives from a process that is named: pass src, or use a group that "
                                   "distributed.new_group(backend='mpi') makes")
        done = self.prepare(array, lambda: self.send_and_receive({}, {source: (self.at(array), array.nbytes)}))
        return done, lambda: source

    def prepare(self, array: Any, call: Callable[[], None]) -> Exchange:
        self.refuse_ended()
        exchange = Exchange(self, array)
        self.prepared.append((exchange, call))
        return exchange

    def begin_sending(self) -> None:
        if self.prepared:
            begun, self.prepared = self.prepared, []

            def work() -> None:
                with self.together():
                    for _, call in begun:
                        call()
            self.begin([exchange for exchange, _ in begun], work)

    # Beginning and end.

    def part(self, members: Sequence[int], is_member: bool) -> Any:
        """CuPy's communicator of the processes `members`, in that order; None in others. All processes call it."""
        self.begin_sending()
        self.refuse_ended()
        self.stream.synchronize()  # NCCL wants nothing to be under way
        with self.on_gpu():
            return made(lambda: self.comm.commSplit(*((0, members.index(self.rank)) if is_member else (-1, 0))))

    def settle(self) -> None:
        self.begin_sending()
        with self.on_gpu():
            self.gpus.current_stream(None).synchronize()

    def free(self) -> None:
        if not self.ended:
            self.begin_sending()
            self.stream.synchronize()
            self.ended = "the group was destroyed"
            self.comm.destroy()

    def abort(self, why: str) -> None:
        """End what is under way, which others take no part in."""
        if not self.ended:
            self.ended = why
            self.comm.abort()

    def look_back(self) -> None:
        """Forget the exchanges that are done, and with them the arrays that they kept."""
        with self.lock:
            self.under_way = [exchange for exchange in self.under_way if not exchange.mark.done]

    def problem(self) -> str:
        """What keeps the GPU from going on: an exchange that has taken too long, or an error that NCCL has noticed."""
        self.look_back()
        with self.lock:
            oldest = self.under_way[0] if self.under_way else None
        if oldest is not None and time.monotonic() - oldest.began > oldest.limit + SLACK:
            return f"{oldest.words} has waited {oldest.limit:g} seconds on the GPU for the other processes"
        try:
            self.comm.check_async_error()
        except self.nccl.NcclError as error:
            return f"{'an exchange' if oldest is None else oldest.words}: NCCL: {error}"
        return ""


def widened(array: Any) -> Any:
    """`array`, or its numbers as ones that NCCL knows."""
    return array.astype(WIDER[array.dtype.str[1:]]) if array.dtype.str[1:] in WIDER else array


def narrow(wide: Any, array: Any) -> Any:
    """Write `wide`, what :func:`widened` gave for `array`, back, and return it."""
    if wide is not array:
        array[...] = wide.astype(array.dtype)
    return wide


def fold(every: Any, op: str, into: Any) -> Any:
    """Write the rows of `every`, as one, to `into`; returns them."""
    found = every[0]
    for row in every[1:]:
        found = OTHERS[op](found, row)
    into[...] = found
    return every


# ------------------------------------------------------------------------------------------------------------ the communicator

class NcclCommunicator(Exchanges):
    """The processes of a group, each with a GPU; `control` is by what else they know of each other."""

    def __init__(self, library: CupyLibrary, device: _arrays.Device, comm: Any,
                 control: MpiCommunicator | ControlByNccl) -> None:
        super().__init__(library, device, comm)
        self.control = control
        self.who_said_what, self.tell_waiting, self.who_waits = control.who_said_what, control.tell_waiting, control.who_waits
        self.end_job_on_error, self.end_job = control.end_job_on_error, control.end_job
        threading.Thread(target=watch, args=(weakref.ref(self),), daemon=True).start()

    def same(self, words: str) -> Done:
        self.begin_sending()
        return self.control.same(words)

    def split(self, members: Sequence[int], is_member: bool) -> NcclCommunicator | None:
        control = self.control.split(members, is_member)
        comm = self.part(members, is_member)
        return None if control is None else NcclCommunicator(self.library, self.device, comm, control)

    def twin(self) -> NcclCommunicator:
        made = self.split(range(self.size), True)
        assert made is not None
        return made

    def in_host_memory(self, backend: str) -> MpiCommunicator:
        """The communicator of the same processes for what is in host memory. Raises ``RuntimeError`` where there is none."""
        if not isinstance(self.control, MpiCommunicator):
            raise DistBackendError(f"new_group: backend={str(backend)!r} is carried by MPI, which has not started these "
                                   "processes: start them by mpiexec, or python -m minigrad run")
        return self.control

    def free(self) -> None:
        super().free()
        self.control.free()


def watch(of: weakref.ref[NcclCommunicator]) -> None:
    """End the job with a message where a GPU waits for a process that does not come, while this process may wait for the GPU."""
    while True:
        time.sleep(LOOK)
        communicator = of()
        if communicator is None or communicator.ended:
            return
        problem = communicator.problem()
        if problem and not communicator.ended:
            say(f"process {communicator.rank} of {communicator.size}: {problem}; it ends the others")
            communicator.end_job()
        del communicator


class ControlByNccl:
    """What processes know of each other that MPI has not started, by numbers that `exchanges` brings them."""

    def __init__(self, exchanges: Exchanges) -> None:
        self.exchanges = exchanges

    @contextlib.contextmanager
    def in_queue(self) -> Iterator[Exchanges]:
        """A block whose work goes to the queue of the exchanges, so that it does not wait for what the program computes."""
        with self.exchanges.on_gpu(), self.exchanges.stream:
            yield self.exchanges

    def same(self, words: str) -> Done:
        number = zlib.crc32(words.encode())
        with self.in_queue() as exchanges:
            seen = exchanges.library.from_numpy(np.array([number, -number], np.int64), exchanges.device)
            compared = exchanges.all_reduce(seen, "MAX")

        def done() -> bool:
            if not compared():
                return False
            with self.in_queue() as exchanges:
                high, low = exchanges.library.to_numpy(seen).tolist()
            if high != -low:
                raise Differ
            return True
        return done

    def who_said_what(self, words: str) -> list[str]:
        mine = np.frombuffer(words.encode(), np.uint8)
        with self.in_queue() as exchanges:
            size, size_of = exchanges.size, exchanges.library.from_numpy
            sizes, here = (size_of(np.array(n, np.int64), exchanges.device) for n in ([0] * size, [mine.size]))
            exchanges.all_gather(sizes, [1] * size, here)
            counts = exchanges.library.to_numpy(sizes).tolist()
            received = np.empty(sum(counts), np.uint8, like=sizes)
            exchanges.all_gather(received, counts, size_of(mine, exchanges.device))
            found = exchanges.library.to_numpy(received)
        return [part.tobytes().decode() for part in np.split(found, np.cumsum(counts[:-1]))]

    def tell_waiting(self) -> None:
        pass

    def who_waits(self) -> list[int] | None:
        return None

    def split(self, members: Sequence[int], is_member: bool) -> ControlByNccl | None:
        of = self.exchanges
        comm = of.part(members, is_member)
        return ControlByNccl(Exchanges(of.library, of.device, comm)) if is_member else None

    def free(self) -> None:
        self.exchanges.free()

    def end_job_on_error(self) -> Any:
        return end_job_on_error(self.exchanges.rank, self.exchanges.size, self.end_job)

    def end_job(self) -> None:
        # Whatever its GPU does; the launcher ends the others.
        sys.stdout.flush()
        os._exit(1)
