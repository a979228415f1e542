"""A function whose calls are recorded and replayed."""

from __future__ import annotations

import functools
import warnings
import weakref
from contextvars import ContextVar
from types import MethodType
from typing import Any, Callable

from minigrad._types.tensor_base import LEAF, TensorBase
from minigrad.autograd.observe import Observer, ObserverBlock
from minigrad.compiler.backward import Passes
from minigrad.compiler.guards import Guards, Seen, Surroundings, walk
from minigrad.compiler.recording import Recorder
from minigrad.compiler.replay import Replay
from minigrad.compiler.tape import Tape
from minigrad.errors import CompileError
from minigrad.random import watch_draws
from minigrad.recording import watching
from minigrad.recording.argument_errors import explain
from minigrad.recording.clock import source_line, watch_writes
from minigrad.recording.graph import grad_enabled, observer
from minigrad.recording.quiet import run_quietly

living: weakref.WeakSet[Compiled] = weakref.WeakSet()
STANCES = ("default", "force_eager", "eager_on_recompile", "fail_on_recompile")
stance: ContextVar[str] = ContextVar("stance", default="default")
LIMIT = 8  # of recordings, for one function
TRIES = 8  # to record the same twice


class Recording:
    """What one call has done, under which conditions."""

    def __init__(self, function: Callable[..., Any], tape: Tape, guards: Guards, numbers: dict[str, Any]) -> None:
        self.called = getattr(function, "__name__", type(function).__name__)
        self.tape, self.guards = tape, guards
        self.made = numbers  # the arrays that stand for numbers, which each call makes anew
        self.input_paths = guards.input_paths

    def complete(self) -> None:
        """Make the function that replays it."""
        self.replay = Replay(self.tape, self.called)
        self.passes = [x for x in self.tape.names.values() if isinstance(x, Passes)]
        for passes in self.passes:
            passes.compile(self.called)
        inputs = f"lambda args, kwargs: ({', '.join(self.input_paths)}{',' if self.input_paths else ''})"
        self.inputs: Callable[..., Any] = eval(inputs)

    @property
    def source(self) -> str:
        """What a replay runs."""
        return "".join([self.replay.source, *[passes.source for passes in self.passes]])

    def run(self, args: Any, kwargs: Any) -> Any:
        """Replay it with other arguments."""
        try:
            return run_quietly(self.replay.function, *self.inputs(args, kwargs))
        except Exception as error:
            raise self.explained(error) from None

    def explained(self, error: Exception) -> Exception:
        """The error that the call itself would have raised, in the place of one that a line of the replay has raised."""
        trace, inner = None, error.__traceback__
        while inner is not None:
            trace = inner if inner.tb_frame.f_code in self.replay.numbers else trace
            inner = inner.tb_next
        number = None if trace is None else self.replay.numbers[trace.tb_frame.f_code][trace.tb_lineno - 1]
        if trace is None or number is None:
            return error
        line, values = self.tape.lines[number], {**self.tape.names, **trace.tb_frame.f_locals}
        found = error
        if line.forward is not None:
            info, operands, settings = line.forward
            found = explain(info, error, tuple([values.get(n) for n in operands]), settings)
        found.add_note(f"in a replay of {self.called}, where it was recorded at {source_line(*line.where)}")
        return found


class Compiled:
    """A function whose calls are recorded once and replayed from then on; see :func:`minigrad.compile`.

    ``source`` is what the last recording replays, as Python; ``recordings`` are all there are.
    """

    def __init__(self, function: Callable[..., Any], fullgraph: bool) -> None:
        functools.update_wrapper(self, function, updated=())
        self.function, self.fullgraph = function, fullgraph
        self.reset()
        living.add(self)

    def reset(self) -> None:
        """Forget all recordings."""
        self.recordings: list[Recording] = []
        self.candidates: list[Recording] = []
        self.tries = 0
        self.eager = ""  # why calls are no longer recorded

    @property
    def source(self) -> str:
        """What a replay of the last recording runs; empty where there is none."""
        return self.recordings[-1].source if self.recordings else ""

    @property
    def guards(self) -> str:
        """The conditions under which the last recording is replayed; empty where there is none."""
        return self.recordings[-1].guards.source if self.recordings else ""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<compiled {self.function!r}>"

    def __reduce__(self) -> Any:
        return Compiled, (self.function, self.fullgraph)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if watching.count and watching.watcher.get() is not None:  # such as the recorder of a call that this is a part of
            return self.function(*args, **kwargs)
        wanted = stance.get()
        if wanted != "force_eager":
            for recording in self.recordings:
                if recording.guards.hold(args, kwargs):
                    return recording.run(args, kwargs)
        if self.eager or wanted in ("force_eager", "eager_on_recompile") or not can_record():
            return self.function(*args, **kwargs)
        if wanted == "fail_on_recompile":
            raise CompileError("Detected recompile when torch.compile stance is 'fail_on_recompile': there is no recording of "
                               f"{self.function!r} for this call. {self.broken(args, kwargs)}")
        return self.record(args, kwargs)

    def broken(self, args: Any, kwargs: Any) -> str:
        """Why the last recording cannot be replayed."""
        return f"Not as before: {self.recordings[-1].guards.broken(args, kwargs)}" if self.recordings else "There is no recording"

    def record(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the function, and record what it does. A recording counts once a second one has been the same."""
        leaves = [x for _, x in (*walk(args), *walk(kwargs, "kwargs"))]
        tensors = list({id(x): x for x in leaves if isinstance(x, TensorBase)}.values())
        if any([t.node is not None and t.node is not LEAF for t in tensors]):
            return self.function(*args, **kwargs)
        before = [c for c in self.candidates if c.guards.hold(args, kwargs)]
        recorder = Recorder(tensors, self.fullgraph)
        with Seen() as seen, watching.watch(recorder), watch_writes(recorder.noted), watch_draws(recorder.drawn), \
                observed(recorder):
            result = self.function(*args, **kwargs)
            recorder.finish(result)
        if not recorder.refusal:
            recording = self.recording_of(recorder, args, kwargs, leaves, seen)
            if recording is not None:
                self.consider(recording, before)
        if recorder.refusal:
            self.give_up(recorder.refusal)
        return result

    def recording_of(self, recorder: Recorder, args: Any, kwargs: Any, leaves: list[Any], seen: Seen) -> Recording | None:
        """What has been recorded, with its conditions, or None where these cannot be known."""
        around = Surroundings(self.function, leaves, seen)
        given = {id(x) for x in leaves}
        external, numbers = {}, {}
        for name, t in recorder.tensors.values():
            if id(t) in given:
                continue
            if id(t) in around.tensors:
                external[name.removeprefix("tensor_")] = t
            elif t.array.ndim or name in recorder.tape.names or any(
                    [c.made.get(name) is t.array for c in self.candidates]):  # the same one in two calls
                recorder.refuse(f"a tensor of shape {list(t.array.shape)} comes from where it cannot be found again")
                return None
            else:
                numbers[name] = t.array
        guards = Guards(args, kwargs, external, list(recorder.had_grad.values()), around)
        return Recording(self.function, recorder.tape, guards, numbers)

    def consider(self, recording: Recording, before: list[Recording]) -> None:
        """Keep a recording to replay it if it is the same as one `before` it, else to compare the next one with it."""
        self.tries += 1
        for other in before:
            if recording.tape.equals(other.tape) and recording.guards.equal(other.guards):
                recording.complete()
                self.recordings.append(recording)
                self.candidates.remove(other)
                self.tries = 0
                if len(self.recordings) > LIMIT:
                    self.give_up(f"it has been recorded {LIMIT} times, for other conditions each time")
                return
        for other in before:
            self.candidates.remove(other)
        self.candidates = [*self.candidates[-LIMIT:], recording]
        if self.tries >= TRIES:
            line = before and recording.tape.first_difference(before[-1].tape)
            where = f"what it does changes from call to call, at {source_line(*line.where)}: {line}" if line else \
                "what it depends on changes from call to call"
            self.give_up(where)

    def give_up(self, why: str) -> None:
        """Record no more."""
        self.eager = why
        self.candidates = []
        name = getattr(self.function, "__qualname__", type(self.function).__name__)
        if self.fullgraph:
            raise CompileError(f"compile: {name} cannot be replayed, because {why}")
        warnings.warn(f"compile: {name} is not replayed but called as it is, because {why}", UserWarning, stacklevel=4)


def can_record() -> bool:
    """Whether nobody watches already what is computed, in all the ways that there are."""
    mode = grad_enabled.get()
    return observer.get() is None and watching.watcher.get() is None and (mode is True or not mode) and Seen.can_see()


class observed(ObserverBlock):
    """A block in which backward passes are seen by `recorder`."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def new_observer(self, before: Observer | None) -> Observer:
        return self.recorder
