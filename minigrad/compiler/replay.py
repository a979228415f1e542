"""The function that replays a tape, and how it becomes a quicker one.

At first it is the lines themselves. Where numba is, the first replay remembers what its small values are like, the second
computes the segments that this gives (:mod:`~minigrad.compiler.segments`) beside their lines, and from then on those that have
given the same bits take the place of their lines. Each replay has the effects of a call once, and gives its results.
"""

from __future__ import annotations

import functools
import importlib
import linecache
from typing import Any, Callable, Sequence

import numpy as np

from minigrad._arrays.host import NONE, switch
from minigrad.compiler.opening import SMALL
from minigrad.compiler.segments import FEWEST, Segment, arranged
from minigrad.compiler.tape import Line, Tape
from minigrad.recording.clock import PACKAGE

__all__ = ["Replay"]

Part = tuple[int, Line] | Segment
MOST = 20_000  # lines that are looked at


class Replay:
    """``function`` replays the lines of a tape, and ``source`` is how it reads.

    ``numbers`` say, for the code of each function that there has been, which recorded line each of its lines comes from.
    """

    def __init__(self, tape: Tape, called: str) -> None:
        self.tape, self.called = tape, called
        self.lines = tape.needed_lines()
        self.numbers: dict[Any, list[int | None]] = {}
        self.function, self.source = self.made(self.lines, tape.large, [])
        if FEWEST <= len(self.lines) <= MOST and switch.enabled:
            keeping = {name: size for name, size in tape.large.items() if size >= SMALL * 8}
            self.function, _ = self.made(self.lines, keeping, ["look(locals())"], look=self.look)

    def made(self, parts: Sequence[Part], large: dict[str, int], last: list[str], proving: bool = False,
             **names: Any) -> tuple[Callable[..., Any], str]:
        """A function of these parts, and its source. Values that are `large` go as soon as they can."""
        text = [f"def replay({', '.join(self.tape.inputs)}):"]
        numbers: list[int | None] = [None]
        flat = [x for part in parts for x in ([part] if isinstance(part, tuple) else part.outside(proving))]
        ends: dict[str, int] = {}
        for k, (_, line) in enumerate(flat):
            for name in (*line.uses, *line.targets):
                ends[name] = k
        going = large.keys() - self.tape.result_uses - self.tape.names.keys()
        for k, (number, line) in enumerate(flat):
            text += [f"    {line}", *[f"    # {inner}" for inner in line.inner]]
            ended = sorted([n for n in going & {*line.uses, *line.targets} if ends[n] == k])
            text += [f"    del {', '.join(ended)}"] if ended else []
            numbers += [number] * (len(text) - len(numbers))
        text += [f"    {line}" for line in last]
        source = "\n".join([*text, f"    return {self.tape.result}"]) + "\n"
        numbers += [None] * (len(last) + 1)
        filename = f"{PACKAGE}<replay of {self.called}>"
        linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
        namespace = {**self.tape.names, **names}
        for part in parts:
            if isinstance(part, Segment):
                namespace |= part.names(proving)
                self.numbers |= part.codes
        exec(compile(source, filename, "exec"), namespace)
        function: Callable[..., Any] = namespace["replay"]
        self.numbers[function.__code__] = numbers
        return function, source

    def look(self, values: dict[str, Any]) -> None:
        """See what values the lines have given, and go on with segments that are not proved yet."""
        parts: list[Part]
        self.function, parts = self.made(self.lines, self.tape.large, [])[0], [*self.lines]
        if switch.found() is NONE:
            return
        loops = importlib.import_module("minigrad._arrays.host.loops")
        if loops.lies_as_expected():
            known = {name: x for name, x in values.items() if isinstance(x, (np.ndarray, np.generic))}
            parts = arranged(self.tape, self.lines, known, loops)
        segments = [part for part in parts if isinstance(part, Segment)]
        if segments:
            self.function, _ = self.made(parts, self.tape.large, ["settle()"], proving=True,
                                         settle=functools.partial(self.settle, parts))

    def settle(self, parts: list[Part]) -> None:
        """Let segments that have given the same bits as their lines take their place from now on."""
        kept: list[Part] = []
        for part in parts:
            if isinstance(part, Segment):
                part.forget()
            kept += [part] if isinstance(part, tuple) or part.same else part.lines
        self.function, self.source = self.made(kept, self.tape.large, [])
