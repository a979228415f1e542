"""Workers that are processes, and how batches come from them.

A worker has two pipes. By one it is sent tasks; when that closes, because the iteration or the whole process at the other end is
gone, the worker ends. By the other it sends what it has made: large arrays in one piece of shared memory, the rest as a pickle.
"""

from __future__ import annotations

import _thread
import contextlib
import importlib
import io
import multiprocessing
import os
import pickle
import queue
import signal
import sys
import threading
import time
import warnings
import weakref
from multiprocessing import reduction
from multiprocessing.connection import wait
from typing import Any, Iterator

import numpy as np

from minigrad import _arrays
from minigrad._arrays import shared
from minigrad.errors import ArgumentError, StateError
from minigrad.multiprocessing.reductions import reduce_shared
from minigrad.utils.data.workers import Plan, WorkerError, seed_process, serve

importlib.import_module("minigrad.serialization")  # pickles of tensors name it; workers that are forked have it then

GRACE = 5.0  # seconds that a worker has to end in before it is killed
LARGE = 1 << 15  # bytes from which an array goes by shared memory

# The parent's ends of the pipes. A process that it forks closes them: as long as another process has them, workers would not
# notice that the parent is gone.
ends_here: weakref.WeakSet[Any] = weakref.WeakSet()


def close_ends() -> None:
    """In a process that was forked, let go of what is its parent's."""
    for end in list(ends_here):
        end.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=close_ends)


# ---------------------------------------------------------------------------------------------------- batches by pipe

class BatchPickler(reduction.ForkingPickler):
    """Pickles a batch, and leaves out the arrays of `large` bytes or more, for shared memory."""

    def __init__(self, text: Any, large: float) -> None:
        self.large, self.left_out = large, list[memoryview]()
        super().__init__(text, 5, True, self.is_small)

    def is_small(self, buffer: pickle.PickleBuffer) -> bool:
        """Whether the pickle is to hold these elements."""
        elements = buffer.raw()
        if elements.nbytes < self.large:
            return True
        self.left_out.append(elements)
        return False

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is not np.ndarray:
            return NotImplemented
        known = reduce_shared(obj)
        if known is not None or obj.flags.forc or obj.dtype.hasobject:
            return known or obj.__reduce_ex__(5)
        order = sorted(range(obj.ndim), key=lambda d: -abs(obj.strides[d]))  # so that its layout is kept
        return np.transpose, (np.ascontiguousarray(obj.transpose(order)), tuple(np.argsort(order).tolist()))


def send_batch(pipe: Any, receiver: int, number: int, batch: Any) -> None:
    """Send a result to the process `receiver`. What pickling `batch` raises is raised before anything is sent."""
    text, note = io.BytesIO(), None
    places: list[tuple[int, int]] = []
    pickler = BatchPickler(text, LARGE if shared.available else float("inf"))
    pickler.dump(batch)
    if pickler.left_out:
        try:
            file, places = shared.write_file(pickler.left_out)
        except OSError as error:
            note, text = str(error), io.BytesIO()
            BatchPickler(text, float("inf")).dump(batch)
    pipe.send((number, places, note))
    pipe.send_bytes(text.getbuffer())
    if places:
        try:
            reduction.send_handle(pipe, file, receiver)
        finally:
            os.close(file)


def receive_batch(pipe: Any, worker: int) -> tuple[int, Any, str | None]:
    """A result that has come, and why shared memory was not used if it was wanted. Raises ``EOFError`` or ``OSError`` where the
    worker has gone before it was all sent."""
    where = f"in reading what DataLoader worker process {worker} has sent"
    number, places, note = pipe.recv()
    text = pipe.recv_bytes()
    try:
        file = receive_file(pipe) if places else None
    except StateError as error:
        return number, WorkerError(error, where), note
    try:
        memory = memoryview(b"") if file is None else shared.read_file(file)
        return number, pickle.loads(text, buffers=[memory[start:end] for start, end in places]), note
    except Exception as error:
        return number, WorkerError(error, where), note


def receive_file(pipe: Any) -> int:
    """The descriptor that follows. Raises ``RuntimeError`` where this process cannot have one more."""
    try:
        return reduction.recv_handle(pipe)
    except RuntimeError:
        raise StateError("DataLoader: too many files are open in this process to take one more, the shared memory of a batch; "
                         "raise the limit (ulimit -n), or close some") from None


# ---------------------------------------------------------------------------------------------------- in a worker

class Inbox:
    """The tasks that have come, which a thread takes off the pipe, so that who sends never waits. When the pipe is closed, it
    makes the main thread leave what it is doing."""

    def __init__(self, pipe: Any) -> None:
        self.pipe, self.closed = pipe, False
        self.texts: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def open(self) -> None:
        """Begin, ready for interrupts."""
        signal.signal(signal.SIGINT, self.on_interrupt)
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        threading.Thread(target=self.fill, daemon=True).start()

    def fill(self) -> None:
        """What the thread does."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                self.texts.put(self.pipe.recv_bytes())
        self.closed = True
        self.texts.put(None)
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        else:
            _thread.interrupt_main()
        time.sleep(GRACE)
        os._exit(1)

    def next_task(self) -> Any:
        """The next task; None where there will be no more."""
        text = self.texts.get()
        return None if text is None else pickle.loads(text)

    def on_interrupt(self, number: int, frame: Any) -> None:
        """The handler of SIGINT: the user's Ctrl-C is for the parent, which then closes the pipe."""
        if self.closed:
            raise SystemExit


def run_process(tasks: Any, results: Any, plan: Plan, worker: int, method: str, parent: int) -> None:
    """What a process does."""
    inbox = Inbox(tasks)
    inbox.open()
    seed_process(plan.seed, worker)
    if method == "fork":
        _arrays.refuse_accelerators("a process that was forked cannot compute on the GPU of its parent: make batches on the CPU "
                                    "and move them in the loop, or use multiprocessing_context='spawn' or 'thread'")
    where = f"in DataLoader worker process {worker}"

    def give(number: int, batch: Any) -> None:
        try:
            send_batch(results, parent, number, batch)
        except (BrokenPipeError, ConnectionResetError):
            raise SystemExit from None
        except Exception as error:
            if inbox.closed:  # and the interrupt came where it was taken for another error
                raise SystemExit from None
            if isinstance(batch, WorkerError):
                batch.kind = RuntimeError  # its own class has no name by which the parent finds it
            else:
                batch = WorkerError(ArgumentError(f"DataLoader: a batch of class {type(batch).__name__} cannot be sent from a "
                                                  f"process to another ({type(error).__name__}: {error})"), where)
            give(number, batch)

    serve(inbox.next_task, give, plan, worker, "multiprocessing", where)


# ---------------------------------------------------------------------------------------------------- in the parent

@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """A block that no Ctrl-C reaches, nor the processes begun in it, until they are ready for one."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Processes:
    """Workers that are processes of a context of :mod:`multiprocessing`, each with its own copy of the dataset. They end with
    this object, or with this process.

    Raises ``TypeError`` where something has to be pickled for them and cannot be, and ``OSError`` where the system starts none.
    """

    def __init__(self, plan: Plan, context: Any) -> None:
        if sys.platform in ("emscripten", "wasi"):
            raise OSError(f"{sys.platform} has no processes")
        self.context = context or multiprocessing.get_context()
        self.epoch = self.sent = 0
        self.broken: str | None = None
        self.warned = False  # that there was no room for shared memory
        self.tasks: list[Any] = []
        self.results: list[Any] = []
        self.runners: list[Any] = []
        self.stop = weakref.finalize(self, end_processes, os.getpid(), self.tasks, self.results, self.runners)
        try:
            for worker in range(plan.num_workers):
                self.start(plan, worker)
        except BaseException:
            self.stop()
            raise

    def start(self, plan: Plan, worker: int) -> None:
        """Start a worker."""
        method = self.context.get_start_method()
        their_tasks, our_tasks = self.context.Pipe(duplex=False)
        our_results, their_results = self.context.Pipe()
        ends_here.update((our_tasks, our_results))
        self.tasks.append(our_tasks)
        self.results.append(our_results)
        process = self.context.Process(target=run_process, name=f"DataLoader worker {worker}", daemon=True,
                                       args=(their_tasks, their_results, plan, worker, method, os.getpid()))
        try:
            with interrupts_held(), warnings.catch_warnings():
                # The threads it warns of are mostly those of NumPy's BLAS, which may be forked.
                warnings.filterwarnings("ignore", message=".*multi-threaded, use of fork", category=DeprecationWarning)
                process.start()
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            if method == "fork":  # by which nothing is pickled
                raise
            raise explain_unpicklable(plan, method, error) from error
        finally:
            their_tasks.close()
            their_results.close()
        self.runners.append(process)

    def send(self, worker: int, task: tuple[int, int, Any]) -> None:
        """Give a worker something to do."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # whoever waits for the result will see that it is dead
            self.tasks[worker].send(task)

    def receive(self, timeout: float | None, owing: set[int]) -> list[tuple[int, Any]]:
        """Results that have come from the workers `owing` some, at least one; none after `timeout` seconds. Raises
        ``RuntimeError`` where a worker has died."""
        ends = {self.results[k]: k for k in owing}
        sentinels = {self.runners[k].sentinel: k for k in owing}
        ready: list[Any] = wait([*ends, *sentinels], timeout)
        dead = [sentinels[end] for end in ready if end in sentinels]
        arrived = []
        for end in ready:
            if end in ends:
                try:
                    number, batch, note = receive_batch(end, ends[end])
                    arrived.append((number, batch))
                except (EOFError, OSError):
                    dead.append(ends[end])
                    continue
                if note is not None and not self.warned:
                    self.warned = True
                    warnings.warn(f"DataLoader: there is no room for shared memory ({note}); batches come through pipes, which "
                                  "is slower", stacklevel=5)
        if dead and not arrived:
            self.report_death(dead[0])
        return arrived

    def report_death(self, worker: int) -> None:
        """Raise what became of a worker that is gone."""
        process = self.runners[worker]
        process.join(GRACE)
        process.kill()  # if it has closed its pipe only
        process.join()
        if process.exitcode < 0:
            name = next((s.name for s in signal.Signals if s == -process.exitcode), str(-process.exitcode))
            what = f"(pid {process.pid}) is killed by signal: {name}"
            why = {"SIGKILL": ", as the system does where memory is short", "SIGSEGV": ", by a fault in compiled code",
                   "SIGBUS": ", as the system does where memory is short"}.get(name, "")
        else:
            what = f"(pid(s) {process.pid}) exited unexpectedly with exit code {process.exitcode}"
            why = ". With num_workers=0 the reason may show"
            if process.exitcode == 1 and self.context.get_start_method() != "fork":
                why = ('. A program whose workers are not forked is imported by them: what it does must stand below '
                       'if __name__ == "__main__":')
        self.broken = f"DataLoader worker {what}. It was worker {worker} of {len(self.runners)}{why}"
        raise StateError(self.broken)


def explain_unpicklable(plan: Plan, method: str, error: BaseException) -> ArgumentError:
    """The error for what cannot be sent to a process that is not forked."""
    what = "one of its arguments"
    for name, value in (("dataset", plan.dataset), ("collate_fn", plan.collate_fn), ("worker_init_fn", plan.init)):
        try:
            reduction.ForkingPickler.dumps(value)
        except Exception as reason:
            what, error = f"its {name} ({value!r:.80})", reason
            break
    return ArgumentError(f"DataLoader: worker processes started by {method!r} are sent a pickle, and {what} cannot be pickled: "
                         f"{error}. Define its class or function at the top of a module, or use multiprocessing_context='fork', "
                         "where the system has it, or 'thread'")


def end_processes(maker: int, tasks: list[Any], results: list[Any], processes: list[Any]) -> None:
    """Close the pipes, by which workers end, and wait for that; those that do not end are killed."""
    for end in (*tasks, *results):
        end.close()
    if os.getpid() != maker:  # a process that was forked meanwhile
        return
    deadline = time.monotonic() + GRACE + 1
    alive = {process.sentinel: process for process in processes}
    while alive and (left := deadline - time.monotonic()) > 0:
        for sentinel in wait(list(alive), left):
            alive.pop(sentinel).join()
    for process in alive.values():
        process.kill()
    for process in processes:
        process.join()
