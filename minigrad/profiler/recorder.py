"""The timer: one event for each thing that begins and ends, on a stack for each thread."""

from __future__ import annotations

from threading import get_ident
from time import perf_counter_ns
from typing import Any

from minigrad import _arrays, cuda
from minigrad._types.tensor_base import TensorBase, unwrap
from minigrad.nn import Module
from minigrad.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from minigrad.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from minigrad.profiler.events import FunctionEvent
from minigrad.profiler.flops import count_flops
from minigrad.recording import clock, timing
from minigrad.recording.graph import Node, Port

COMPUTING = ("operation", "backward")  # the kinds of events that compute; the others hold such


class Recorder:
    """Times operations, nodes of backward passes, calls of modules, steps of optimizers and named blocks, in all threads.

    Args:
        shapes, stacks, memory, flops: whether to note the shapes of inputs, the user's stack, the bytes that results hold, the
            floating point operations.
        synchronize: wait, at the end of each event, for what the GPU computes.
    """

    def __init__(self, shapes: bool, stacks: bool, memory: bool, flops: bool, synchronize: bool) -> None:
        self.shapes, self.stacks, self.memory, self.flops, self.synchronize = shapes, stacks, memory, flops, synchronize
        self.events: list[FunctionEvent] = []
        self.open: dict[int, list[FunctionEvent]] = {}  # for each thread, what is under way
        self.of_node: dict[int, FunctionEvent] = {}  # by its stamp, what made a node
        self.paths: dict[int, dict[int, str]] = {}  # for each module that was called by none, what is below it
        self.handles: list[Any] = []

    def start(self) -> None:
        """Time from now on."""
        timing.set_timer(self)
        self.handles = [register_module_forward_pre_hook(self.begin_module),
                        register_module_forward_hook(self.end_module, always_call=True),
                        register_optimizer_step_pre_hook(self.begin_step), register_optimizer_step_post_hook(self.end_step)]

    def stop(self) -> None:
        """Time no longer. What is under way ends now."""
        timing.set_timer(None)
        for handle in self.handles:
            handle.remove()
        for events in self.open.values():
            while events:
                self.end(events[0])
        for event in self.events:
            event.root = None  # a profile keeps no model alive

    def begin(self, name: str, kind: str, inputs: Any = (), node: Any = None) -> FunctionEvent | None:
        """An event that begins now; None for a call that is a part of the one under way, which converts its operands."""
        thread = get_ident()
        events = self.open.setdefault(thread, [])
        parent = events[-1] if events else None
        if kind == "operation" and parent is not None and parent.kind == kind and parent.name == name:
            return None
        event = FunctionEvent(len(self.events), name, kind, parent, thread)
        if node is not None:
            event.sequence_nr = node.stamp
            event.place = (node.code, node.lasti)
            made = self.of_node.get(node.stamp)
            event.module = "" if made is None else made.module
        elif parent is not None and parent.kind in COMPUTING:
            event.place, event.module = parent.place, parent.module
        else:
            frame = clock.user_frame()
            event.place, event.module = (frame.f_code, frame.f_lasti), "" if parent is None else parent.module
            if self.stacks:
                event.frames = frames_above(frame)
        event.inputs = inputs if self.flops else ()
        if self.shapes:
            event.input_shapes = [list(getattr(unwrap(x), "shape", ())) for x in inputs]
        self.events.append(event)
        events.append(event)
        event.start = perf_counter_ns()
        return event

    def end(self, event: FunctionEvent | None, result: Any = None) -> None:
        """The end of `event`, and of what began in it and has not ended, because it raised."""
        if event is None:
            return
        if self.synchronize:
            cuda.synchronize()
        now = perf_counter_ns()
        events = self.open.get(event.thread, [])
        while event in events:
            events.pop().stop = now
        results = result if isinstance(result, (tuple, list)) else (result,)
        if self.memory and event.kind in COMPUTING:
            event.memory = sum([bytes_held(x) for x in results])
        if event.kind == "operation":
            if self.flops:
                event.flops, event.inputs = count_flops(event.name, event.inputs, result), ()
            for x in results:
                if isinstance(x, TensorBase) and isinstance(x.node, Node):
                    made = x.node.grad_fn if isinstance(x.node, Port) else x.node
                    event.sequence_nr = made.stamp
                    self.of_node[made.stamp] = event

    # ------------------------------------------------------------------------------------------------ modules and optimizers

    def begin_module(self, module: Module, inputs: Any) -> None:
        """The call of `module` begins."""
        event = self.begin(type(module).__name__, "module")
        if event is not None:
            outer = next((e for e in reversed(self.open[event.thread][:-1]) if e.kind == "module"), None)
            event.module, event.root = self.path_of(module, outer)
            event.name = f"nn.Module: {event.module}"
            event.owner = id(module)

    def path_of(self, module: Module, outer: FunctionEvent | None) -> tuple[str, Module]:
        """The path of a called module: below the outermost one that is being called, whose class it begins with."""
        root = module if outer is None or outer.root is None else outer.root
        known = self.paths.get(id(root))
        if known is None or id(module) not in known:
            begin = type(root).__name__
            known = {id(m): f"{begin}.{path}" if path else begin for path, m in root.named_modules()}
            self.paths[id(root)] = known
        return known.get(id(module)) or f"{outer.module if outer else ''}.{type(module).__name__}".lstrip("."), root

    def end_module(self, module: Module, inputs: Any, output: Any) -> None:
        """The call of `module` has ended."""
        self.end(next((e for e in reversed(self.open.get(get_ident(), [])) if e.owner == id(module)), None))

    def begin_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """A step of `optimizer` begins."""
        event = self.begin(f"Optimizer.step#{type(optimizer).__name__}.step", "block")
        if event is not None:
            event.owner = id(optimizer)

    end_step = end_module


def frames_above(frame: Any) -> list[tuple[Any, int]]:
    """The code and the line of `frame` and of all that called it."""
    found = []
    while frame is not None:
        found.append((frame.f_code, frame.f_lineno))
        frame = frame.f_back
    return found


def bytes_held(x: Any) -> int:
    """The bytes of memory that `x`, a tensor, an array or something else, holds and shares with no other."""
    array = unwrap(x)
    return int(array.nbytes) if _arrays.is_array(array) and array.base is None else 0
