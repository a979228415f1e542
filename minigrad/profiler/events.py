"""What was timed: single events, averages over those that have something in common, and lists of either."""

from __future__ import annotations

from typing import Any, Callable, Iterable

from minigrad.errors import ArgumentError, InvalidValueError
from minigrad.profiler import traces
from minigrad.profiler.tables import format_table, format_time
from minigrad.recording.clock import is_package_file, source_line

SORTED_BY = ("cpu_time", "cpu_time_total", "self_cpu_time_total", "cpu_memory_usage", "self_cpu_memory_usage", "count", "flops",
             "forward_time_total", "backward_time_total")


class Interval:
    """From `start` to `end`, in microseconds since the profile began."""

    def __init__(self, start: float, end: float) -> None:
        self.start, self.end = start, end

    def elapsed_us(self) -> float:
        """The length, in microseconds."""
        return self.end - self.start


class FunctionEvent:
    """One call: of an operation, of the rules of a node, of a module, or a block with a name.

    Times are in microseconds, memory is in bytes.

    Attributes:
        name: the operation's, such as ``"matmul"``; the node's, such as ``"MatmulBackward0"``; ``"nn.Module: "`` and its path.
        kind: ``"operation"``, ``"backward"``, ``"pass"`` (a whole backward pass), ``"module"`` or ``"block"``.
        cpu_parent, cpu_children: what it was called in, and what was called in it.
        module: the path of the module that made it, which begins with the class of the outermost one. Of backward events, that
            of the operation in the forward.
        line: ``file:line`` of the user's call; of backward events, of the call in the forward.
        sequence_nr: the number that an operation and the backward event of its node have in common; -1 where there is no node.
        thread: the identity of the thread.
        input_shapes, stack, flops, cpu_memory_usage: where the profile was asked for them. The memory of an operation is what its
            results hold; that of a module or block, what the operations in it give.
    """

    count = 1

    def __init__(self, number: int, name: str, kind: str, parent: FunctionEvent | None, thread: int) -> None:
        self.id, self.name, self.kind, self.cpu_parent, self.thread = number, name, kind, parent, thread
        self.cpu_children: list[FunctionEvent] = []
        if parent is not None:
            parent.cpu_children.append(self)
        self.start = self.stop = self.origin = 0  # nanoseconds
        self.module, self.owner = "", 0
        self.root: Any = None  # of a module that is being called: the outermost one
        self.place: tuple[Any, int] = (None, 0)
        self.frames: list[tuple[Any, int]] = []
        self.inputs: Any = ()
        self.input_shapes: list[list[int]] = []
        self.sequence_nr, self.flops, self.memory = -1, 0, 0

    @property
    def key(self) -> str:
        return self.name

    @property
    def time_range(self) -> Interval:
        """When it began and ended."""
        return Interval((self.start - self.origin) / 1000, (self.stop - self.origin) / 1000)

    @property
    def cpu_time_total(self) -> float:
        """How long it took."""
        return (self.stop - self.start) / 1000

    cpu_time = cpu_time_total

    @property
    def self_cpu_time_total(self) -> float:
        """How long it took without what was called in it."""
        return self.cpu_time_total - sum([child.cpu_time_total for child in self.cpu_children])

    @property
    def cpu_memory_usage(self) -> int:
        """The bytes that its results hold."""
        return self.memory if self.computes else sum([child.cpu_memory_usage for child in self.cpu_children])

    @property
    def self_cpu_memory_usage(self) -> int:
        """Without what was called in it; below zero where it has freed what that gave."""
        return self.cpu_memory_usage - sum([child.cpu_memory_usage for child in self.cpu_children])

    @property
    def computes(self) -> bool:
        """Whether it is an operation or a node's rules, and not what holds such."""
        return self.kind in ("operation", "backward")

    @property
    def line(self) -> str:
        """``file:line`` of the user's call."""
        return source_line(*self.place)

    @property
    def stack(self) -> list[str]:
        """The user's frames, the innermost first, as ``file(line): function``; without those of minigrad."""
        frames: list[tuple[Any, int]] = next((e.frames for e in self.ancestors() if e.frames), [])
        return [f"{code.co_filename}({line}): {code.co_name}" for code, line in frames if not is_package_file(code.co_filename)]

    def ancestors(self) -> Iterable[FunctionEvent]:
        """The event and what it was called in, outwards."""
        event: FunctionEvent | None = self
        while event is not None:
            yield event
            event = event.cpu_parent

    def is_outermost(self) -> bool:
        """Whether it computes, and was not called by what computes."""
        return self.computes and (self.cpu_parent is None or not self.cpu_parent.computes)

    def __repr__(self) -> str:
        return (f"<FunctionEvent {self.name} cpu_time={format_time(self.cpu_time_total)} "
                f"self_cpu_time={format_time(self.self_cpu_time_total)} thread={self.thread}>")


class FunctionEventAvg:
    """Several events taken together: sums of times, in microseconds, and of bytes, over `count` calls."""

    def __init__(self, key: str) -> None:
        self.key, self.count = key, 0
        self.cpu_time_total = self.self_cpu_time_total = self.forward_time_total = self.backward_time_total = 0.0
        self.cpu_memory_usage = self.self_cpu_memory_usage = self.flops = 0
        self.input_shapes: list[list[int]] = []
        self.stack: list[str] = []

    def add(self, event: Any) -> FunctionEventAvg:
        """Take in an event, or what other averages hold."""
        self.count += event.count
        for name in ("cpu_time_total", "self_cpu_time_total", "cpu_memory_usage", "self_cpu_memory_usage", "flops"):
            setattr(self, name, getattr(self, name) + getattr(event, name))
        return self

    @property
    def cpu_time(self) -> float:
        """The mean of the times."""
        return self.cpu_time_total / self.count if self.count else 0.0

    def __repr__(self) -> str:
        return (f"<FunctionEventAvg key={self.key} self_cpu_time={format_time(self.self_cpu_time_total)} "
                f"cpu_time={format_time(self.cpu_time)} count={self.count} cpu_memory_usage={self.cpu_memory_usage}>")


class EventList(list[Any]):
    """Events in the order in which they began, or averages; :meth:`table` shows them.

    Args:
        events: what is in the list.
        columns: what a table shows beside names, times and numbers of calls: of ``"memory"``, ``"shapes"``, ``"stack"``,
            ``"flops"``, ``"phases"`` (forward and backward).
        total: the microseconds that shares are of; None: the sum of all self times.
    """

    def __init__(self, events: Iterable[Any], columns: Iterable[str] = (), total: float | None = None) -> None:
        super().__init__(events)
        self.columns, self.total = tuple(columns), total

    @property
    def self_cpu_time_total(self) -> float:
        """The sum of all self times, in microseconds."""
        return sum([e.self_cpu_time_total for e in self]) if self.total is None else self.total

    def table(self, sort_by: str | None = None, row_limit: int = 100, max_src_column_width: int = 75,
              max_name_column_width: int = 55, max_shapes_column_width: int = 80, header: str | None = None,
              top_level_events_only: bool = False, time_unit: str | None = None) -> str:
        """A table, as text.

        Args:
            sort_by: the attribute to sort by, the largest first, such as ``"self_cpu_time_total"``, ``"cpu_time_total"``,
                ``"count"`` or ``"self_cpu_memory_usage"``; None: as they are.
            row_limit: how many rows there are at most; -1: all.
            max_src_column_width, max_name_column_width, max_shapes_column_width: how many characters are shown.
            header: a line above the table.
            top_level_events_only: only events that were called in no other.
            time_unit: ``"s"``, ``"ms"`` or ``"us"``; None: what fits each time.

        Raises: ``ValueError`` for an unknown `sort_by` or `time_unit`.
        """
        rows = [e for e in self if not top_level_events_only or getattr(e, "cpu_parent", None) is None]
        if sort_by is not None:
            if sort_by not in SORTED_BY:
                raise InvalidValueError(f"table: sort_by must be one of {', '.join(SORTED_BY)}, but got {sort_by!r}")
            rows.sort(key=lambda e: getattr(e, sort_by, 0), reverse=True)
        return format_table(rows if row_limit < 0 else rows[:row_limit], self.columns, self.self_cpu_time_total,
                            max_name_column_width, max_shapes_column_width, max_src_column_width, header, time_unit)

    def total_average(self) -> FunctionEventAvg:
        """All of them together."""
        total = FunctionEventAvg("Total")
        for event in self:
            total.add(event)
        return total

    def key_averages(self, group_by_input_shapes: bool = False, group_by_stack_n: int = 0,
                     group_by_overload_name: bool = False) -> EventList:
        """Averages of the events that have a name in common and, where asked, the shapes of inputs and the innermost
        `group_by_stack_n` frames of the user's. Operations have no overloads."""
        found: dict[Any, FunctionEventAvg] = {}
        for event in self:
            stack = event.stack[:group_by_stack_n] or ([event.line] if group_by_stack_n else [])
            key = (event.name, str(event.input_shapes) if group_by_input_shapes else "", *stack)
            average = found.setdefault(key, FunctionEventAvg(event.name)).add(event)
            average.stack = stack
            if group_by_input_shapes:
                average.input_shapes = event.input_shapes
        columns = [c for c in self.columns if c not in ("shapes", "stack")]
        columns += ["shapes"] * group_by_input_shapes + ["stack"] * (group_by_stack_n > 0)
        return EventList(found.values(), columns, self.total)

    def by(self, places_of: Callable[[FunctionEvent], list[str]]) -> EventList:
        """Averages of what computes by the places, from the outside inwards, that `places_of` gives for an event. Its time counts
        for all of them, and as self time for the last."""
        found: dict[str, FunctionEventAvg] = {}
        for event in self:
            if not event.is_outermost():
                continue
            places = places_of(event)
            for place in places:
                average = found.setdefault(place, FunctionEventAvg(place))
                average.cpu_time_total += event.cpu_time_total
                average.cpu_memory_usage += event.cpu_memory_usage
                average.flops += sum([e.flops for e in below(event)])
                if event.kind == "backward":
                    average.backward_time_total += event.cpu_time_total
                else:
                    average.forward_time_total += event.cpu_time_total
                if place is places[-1]:
                    average.count += 1
                    average.self_cpu_time_total += event.cpu_time_total
                    average.self_cpu_memory_usage += event.cpu_memory_usage
        ordered = sorted(found.values(), key=lambda average: average.cpu_time_total, reverse=True)
        return EventList(ordered, [*[c for c in self.columns if c in ("memory", "flops")], "phases"], self.total)

    def export_chrome_trace(self, path: Any) -> None:
        """Write the events as a file for ``chrome://tracing`` or https://ui.perfetto.dev; compressed where `path` ends in
        ``.gz``."""
        traces.write_chrome_trace(self, path)

    def export_stacks(self, path: Any, metric: str = "self_cpu_time_total") -> None:
        """Write the stacks with their microseconds, a line each, from which tools draw flame graphs. Raises ``ValueError`` for
        another `metric` than ``"self_cpu_time_total"``, and where the profile kept no stacks."""
        if metric != "self_cpu_time_total":
            raise InvalidValueError(f"export_stacks: metric should be one of: self_cpu_time_total, but got {metric!r}")
        if not any([e.frames for e in self if isinstance(e, FunctionEvent)]):
            raise ArgumentError("export_stacks: no stacks were kept; write profile(with_stack=True)")
        traces.write_stacks(self, path)

    def __str__(self) -> str:
        return self.table()


def below(event: FunctionEvent) -> Iterable[FunctionEvent]:
    """The event and all that was called in it."""
    yield event
    for child in event.cpu_children:
        yield from below(child)
