"""One function in several new processes, of which one that fails ends the others."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import signal
import traceback
from typing import Any, Callable

__all__ = ["ProcessContext", "ProcessException", "ProcessExitedException", "ProcessRaisedException", "SpawnContext", "spawn",
           "start_processes"]


class ProcessException(Exception):
    """A process that :func:`spawn` started has failed."""

    def __init__(self, msg: str, error_index: int, pid: int) -> None:
        super().__init__(msg)
        self.msg, self.error_index, self.pid = msg, error_index, pid

    def __reduce__(self) -> Any:
        return type(self), (self.msg, self.error_index, self.pid)


class ProcessRaisedException(ProcessException):
    """The function raised an exception, whose traceback is in the message."""


class ProcessExitedException(ProcessException):
    """The process was killed by a signal, or ended by itself with an exit code other than 0."""

    def __init__(self, msg: str, error_index: int, error_pid: int, exit_code: int, signal_name: str | None = None) -> None:
        super().__init__(msg, error_index, error_pid)
        self.exit_code, self.signal_name = exit_code, signal_name

    def __reduce__(self) -> Any:
        return type(self), (self.msg, self.error_index, self.pid, self.exit_code, self.signal_name)


def run(fn: Callable[..., Any], index: int, args: tuple[Any, ...], failure: Any) -> None:
    """What a process does: call `fn`, and send the traceback of what it raises."""
    try:
        fn(index, *args)
    except KeyboardInterrupt:
        pass  # the parent was interrupted too, and says so
    except Exception:
        failure.send(traceback.format_exc())
        raise SystemExit(1) from None


class ProcessContext:
    """The processes of one call of :func:`spawn`."""

    def __init__(self, processes: list[Any], failures: list[Any]) -> None:
        self.processes, self._failures = processes, failures
        self._running = {process.sentinel: index for index, process in enumerate(processes)}

    def pids(self) -> list[int]:
        """The numbers by which the operating system knows the processes."""
        return [int(process.pid) for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Wait until a process ends, and tell whether all have. Where one has failed, end the others and raise its exception.

        Args:
            timeout: the longest to wait, in seconds; None for as long as it takes.
            grace_period: how long the others may take to end before they are killed, in seconds; None for 30.
        """
        failed = None
        for sentinel in multiprocessing.connection.wait(list(self._running), timeout=timeout):
            index = self._running.pop(sentinel)
            self.processes[index].join()
            if self.processes[index].exitcode != 0:
                failed = index
                break
        if failed is None:
            return not self._running
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.join(30 if grace_period is None else grace_period)
            if process.is_alive():
                process.kill()
                process.join()
        raise self._exception_of(failed)

    def _exception_of(self, index: int) -> ProcessException:
        """What the process `index` sent of its exception, or else how it ended."""
        process, sent = self.processes[index], None
        with contextlib.suppress(EOFError):
            sent = self._failures[index].recv() if self._failures[index].poll() else None
        if sent is not None:
            message = f"\n\n-- Process {index} terminated with the following error:\n{sent}"
            return ProcessRaisedException(message, index, process.pid)
        code = process.exitcode
        name = signal.Signals(-code).name if code < 0 else None
        how = f"exit code {code}" if name is None else f"signal {name}"
        return ProcessExitedException(f"process {index} terminated with {how}", index, process.pid, code, name)


SpawnContext = ProcessContext


def start_processes(fn: Callable[..., Any], args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
                    start_method: str = "spawn") -> ProcessContext | None:
    """As :func:`spawn`, by any of the methods that ``get_all_start_methods`` names."""
    context: Any = multiprocessing.get_context(start_method)
    processes, failures = [], []
    for index in range(nprocs):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=run, args=(fn, index, args, sender), daemon=daemon)
        process.start()
        sender.close()
        processes.append(process)
        failures.append(receiver)
    started = ProcessContext(processes, failures)
    if not join:
        return started
    while not started.join():
        pass
    return None


def spawn(fn: Callable[..., Any], args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
          start_method: str = "spawn") -> ProcessContext | None:
    """Call ``fn(index, *args)`` in `nprocs` new processes, where `index` counts them from 0.

    With `join`, waits until all have ended; otherwise gives the :class:`ProcessContext` to wait with. A process that fails ends
    the others: :class:`ProcessRaisedException` shows the traceback, :class:`ProcessExitedException` the signal or exit code.
    """
    return start_processes(fn, args, nprocs, join, daemon, start_method)
