"""What users hold: :class:`profile`, schedules over steps, and named blocks."""

from __future__ import annotations

import enum
import os
import socket
import time
import warnings
from contextlib import ContextDecorator
from typing import Any, Callable, Iterable, NamedTuple

from minigrad import cuda
from minigrad.errors import InvalidValueError, StateError
from minigrad.profiler.events import EventList, FunctionEvent
from minigrad.profiler.recorder import Recorder
from minigrad.recording import timing


class ProfilerActivity(enum.Enum):
    """Where things are timed. With CUDA, each operation is waited for, so that its time is that of the GPU's work too."""

    CPU = 0
    CUDA = 2


class ProfilerAction(enum.Enum):
    """What a profile does in a step."""

    NONE = 0
    WARMUP = 1  # time, so that what is made once is there, and keep nothing
    RECORD = 2
    RECORD_AND_SAVE = 3  # and call `on_trace_ready` at the end of the step


RECORDING = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)


def supported_activities() -> set[ProfilerActivity]:
    """What can be timed here."""
    return {ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda.is_available() else [])}


def schedule(*, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0,
             skip_first_wait: int = 0) -> Callable[[int], ProfilerAction]:
    """The function that says, for the number of a step, what a profile does: after `skip_first` steps, cycles of `wait` steps
    without, `warmup` steps that are timed and dropped, and `active` steps that are kept. There are `repeat` cycles; 0: until
    the end. `skip_first_wait`: other than 0 leaves the wait of the first cycle out.

    Raises ``ValueError`` for a number of steps below 0, or no active step.

    >>> import minigrad as mg
    >>> [mg.profiler.schedule(wait=1, warmup=1, active=2)(step).name for step in range(5)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if min(wait, warmup, repeat, skip_first, skip_first_wait) < 0 or active <= 0:
        raise InvalidValueError(f"schedule: expected numbers of steps of at least 0, and active > 0, but got wait={wait}, "
                                f"warmup={warmup}, active={active}, repeat={repeat}, skip_first={skip_first}, "
                                f"skip_first_wait={skip_first_wait}")
    length = wait + warmup + active

    def action_of(step: int) -> ProfilerAction:
        if step < 0:
            raise InvalidValueError(f"schedule: expected the number of a step, but got {step}")
        if step < skip_first:
            return ProfilerAction.NONE
        step += -skip_first + (wait if skip_first_wait else 0)
        if repeat and step >= repeat * length:
            return ProfilerAction.NONE
        place = step % length
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if place == length - 1 else ProfilerAction.RECORD

    return action_of


def record_always(step: int) -> ProfilerAction:
    """The schedule of a profile that has none."""
    return ProfilerAction.RECORD


def tensorboard_trace_handler(dir_name: str, worker_name: str | None = None, use_gzip: bool = False) -> Callable[[profile], None]:
    """An `on_trace_ready` that writes each trace to a file of its own in the folder `dir_name`, which is made if it is not
    there. `worker_name` is in the name of the file; None: the computer and the process."""
    worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"

    def write(prof: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        ending = ".pt.trace.json" + (".gz" if use_gzip else "")
        prof.export_chrome_trace(os.path.join(dir_name, f"{worker}.{time.time_ns()}{ending}"))

    return write


class Settings(NamedTuple):
    """What a profile notes beside times: the parameters of a :class:`Recorder`, by PyTorch's names."""

    record_shapes: bool
    with_stack: bool
    profile_memory: bool
    with_flops: bool
    with_cuda: bool


class profile:
    """Time operations, modules, backward passes and named blocks, of all threads, while a block lasts.

    Args:
        activities: members of :class:`ProfilerActivity`; None: all that there are here.
        schedule: a function that says for each step, which ends with :meth:`step`, what to do; see :func:`schedule`. None: time
            from the beginning to the end.
        on_trace_ready: called with the profile where the recording of a cycle has ended.
        record_shapes: note the shapes of inputs.
        profile_memory: note the bytes that the results of operations hold.
        with_stack: note the user's whole stack; the innermost line is always there.
        with_flops: count the floating point operations of products, convolutions and arithmetic.
        with_modules, experimental_config, execution_trace_observer: taken as PyTorch takes them. Modules are always there, and
            the other two change nothing.
        acc_events: keep the events of earlier cycles.

    Timing an operation takes some microseconds itself, which are a part of the time of what it is called in: in the times of
    modules and blocks with many small operations they count.

    >>> import minigrad as mg
    >>> model = mg.nn.Sequential(mg.nn.Linear(8, 16), mg.nn.ReLU(), mg.nn.Linear(16, 1))
    >>> with mg.profiler.profile() as prof:
    ...     model(mg.ones(4, 8)).sum().backward()
    >>> sorted({e.name for e in prof.events() if e.kind == "operation" and e.is_outermost()})
    ['linear', 'relu', 'sum']
    >>> [(average.key, average.count) for average in prof.key_averages() if average.key == "LinearBackward0"]
    [('LinearBackward0', 2)]
    >>> sorted(average.key for average in prof.by_module())
    ['(no module)', 'Sequential', 'Sequential.0', 'Sequential.1', 'Sequential.2']

    Raises: ``RuntimeError`` where another profile is running.
    """

    def __init__(self, *, activities: Iterable[ProfilerActivity] | None = None,
                 schedule: Callable[[int], ProfilerAction] | None = None,
                 on_trace_ready: Callable[..., Any] | None = None, record_shapes: bool = False, profile_memory: bool = False,
                 with_stack: bool = False, with_flops: bool = False, with_modules: bool = False, experimental_config: Any = None,
                 execution_trace_observer: Any = None, acc_events: bool = False) -> None:
        asked = supported_activities() if activities is None else set(activities)
        with_cuda = ProfilerActivity.CUDA in asked
        if with_cuda and not cuda.is_available():
            warnings.warn("profile: CUDA is not available, disabling CUDA profiling", stacklevel=2)
            with_cuda = False
        self.settings = Settings(record_shapes, with_stack, profile_memory, with_flops, with_cuda)
        self.schedule, self.on_trace_ready, self.acc_events = schedule or record_always, on_trace_ready, acc_events
        self.record_steps = schedule is not None
        self.step_num, self.current_action = 0, self.schedule(0)
        self._recorder: Recorder | None = None
        self._kept: list[FunctionEvent] = []
        self._total, self._began = 0.0, 0
        self._step: Callable[[], None] | None = None

    # ------------------------------------------------------------------------------------------------ from beginning to end

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin, with the first step."""
        self._follow(ProfilerAction.NONE, self.current_action)

    def stop(self) -> None:
        """End; a recording that is under way is ready then."""
        self._end_step()
        self._follow(self.current_action, ProfilerAction.NONE, ends=True)
        self.current_action = ProfilerAction.NONE

    def step(self) -> None:
        """The end of a step, and the beginning of the next."""
        self._end_step()
        before = self.current_action
        self.step_num += 1
        self.current_action = self.schedule(self.step_num)
        self._follow(before, self.current_action)

    def _end_step(self) -> None:
        if self._step is not None:
            self._step()
            self._step = None

    def _follow(self, before: ProfilerAction, now: ProfilerAction, ends: bool = False) -> None:
        """Do what leads from one step's action to the next one's."""
        ready = before is ProfilerAction.RECORD_AND_SAVE or before is ProfilerAction.RECORD and ends
        if before is ProfilerAction.RECORD and now not in RECORDING and not ends:
            warnings.warn("profile: the schedule goes from RECORD to a step without recording; what was recorded counts as "
                          "ready. Let the last step of a cycle be RECORD_AND_SAVE", stacklevel=4)
            ready = True
        if self._recorder is not None and (ready or now not in RECORDING or before not in RECORDING):
            self._finish(keep=ready)
        if ready and self.on_trace_ready is not None:
            self.on_trace_ready(self)
        if now is not ProfilerAction.NONE and self._recorder is None:
            self._begin()
        if self.record_steps and self._recorder is not None:
            self._step = timing.begin(f"ProfilerStep#{self.step_num}", "block")

    def _begin(self) -> None:
        if timing.timer is not None:
            raise StateError("profile: another profile is running; only one can run at a time")
        self._recorder = Recorder(*self.settings)
        self._began = time.perf_counter_ns()
        self._recorder.start()

    def _finish(self, keep: bool) -> None:
        """End the recording under way, and keep its events or not."""
        assert self._recorder is not None
        self._recorder.stop()
        if keep:
            for event in self._recorder.events:
                event.origin = self._began
            self._kept = [*(self._kept if self.acc_events else []), *self._recorder.events]
        self._recorder = None

    # ------------------------------------------------------------------------------------------------ what was found

    def events(self) -> EventList:
        """The events of the last recording that is ready, in the order in which they began. Raises ``RuntimeError`` while there
        is none."""
        if not self._kept and self._recorder is not None:
            raise StateError("profile: nothing has been recorded yet; ask after the block, or in on_trace_ready")
        chosen = self.settings
        names = [("shapes", chosen.record_shapes), ("stack", chosen.with_stack), ("memory", chosen.profile_memory),
                 ("flops", chosen.with_flops)]
        outermost = [e for e in self._kept if e.cpu_parent is None]
        return EventList(self._kept, [name for name, shown in names if shown], sum([e.cpu_time_total for e in outermost]))

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0,
                     group_by_overload_name: bool = False) -> EventList:
        """Averages of the events by their names; where asked, by the shapes of inputs and the innermost frames of the user's
        too."""
        return self.events().key_averages(group_by_input_shape, group_by_stack_n, group_by_overload_name)

    def by_module(self) -> EventList:
        """What modules compute, forward and backward: for each the time in it and in those below it, and as self time what it
        computes itself."""
        def places(event: FunctionEvent) -> list[str]:
            parts = event.module.split(".")
            return [".".join(parts[:n + 1]) for n in range(len(parts))] if event.module else ["(no module)"]

        return self.events().by(places)

    def by_line(self) -> EventList:
        """What the user's lines compute, forward and backward."""
        return self.events().by(lambda event: [event.line])

    def export_chrome_trace(self, path: Any) -> None:
        """Write the events as a file for ``chrome://tracing`` or https://ui.perfetto.dev; compressed where `path` ends in
        ``.gz``."""
        self.events().export_chrome_trace(path)

    def export_stacks(self, path: Any, metric: str = "self_cpu_time_total") -> None:
        """Write stacks and the microseconds spent in them, from which tools draw flame graphs; it needs ``with_stack=True``."""
        self.events().export_stacks(path, metric)


class record_function(ContextDecorator):
    """A block, or as a decorator a function, that has a name of its own in a profile. Outside of one it does nothing.

    >>> import minigrad as mg
    >>> with mg.profiler.profile() as prof, mg.profiler.record_function("my block"):
    ...     y = mg.ones(3) + 1
    >>> prof.events()[0].name, [child.name for child in prof.events()[0].cpu_children]
    ('my block', ['add'])
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args
        self._ends: list[Callable[[], None] | None] = []

    def __enter__(self) -> record_function:
        self._ends.append(timing.begin(self.name, "block"))
        return self

    def __exit__(self, *exc: object) -> None:
        end = self._ends.pop()
        if end is not None:
            end()
