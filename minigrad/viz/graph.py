"""The one model of a recorded computation: plain data, from which every picture, page, table and export is made.

A :class:`Graph` holds operations, leaves, the arrows along which values flow from the one to the other, and a tree of groups
that says which call of which module, of which function, or which source line they belong to. It holds no tensors and no
arrays, and :meth:`Graph.to_dict` gives it as what JSON can say.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any, Iterator

__all__ = ["Arrow", "Graph", "Group", "Leaf", "Operation", "Source", "Statistics"]


@dataclass
class Statistics:
    """Numbers that describe the elements of an array, computed in float64; of complex ones, of their absolute values.

    ``value`` is the element itself where there is but one. ``mean``, ``rms``, ``min`` and ``max`` are those of the finite
    elements, None where there is none. ``histogram`` counts at most 1,024 of them, evenly chosen, in equal bins from ``min`` to
    ``max``.
    """

    count: int = 0
    value: float | str | None = None
    mean: float | None = None
    rms: float | None = None
    min: float | None = None
    max: float | None = None
    zeros: float = 0.0  # the share of elements that are zero
    nonfinite: int = 0
    histogram: list[int] = field(default_factory=list)


@dataclass
class Operation:
    """One recorded operation, which made the result that flows along the arrows from it."""

    id: str
    name: str  # as the user calls it: conv2d
    node: str  # as autograd calls it: ConvolutionBackward0
    stamp: int = 0  # its place among all operations: a later one never flows into an earlier one
    group: str = ""
    line: str = ""  # file:line of the user's call
    code: str = ""  # the text of that call
    settings: dict[str, str] = field(default_factory=dict)  # those the user wrote
    shape: list[Any] = field(default_factory=list)  # of the result, or the list of the shapes of several
    dtype: str = ""
    kept: int = 0  # bytes held for the derivative that nothing else holds
    keeps: list[str] = field(default_factory=list)  # what those are: arguments or results
    value: Statistics | None = None
    gradient: Statistics | None = None  # what arrived at the result in the backward pass
    order: int | None = None  # its place in the backward pass
    derivative: int = 0  # 0: computed going forward; 1: in a backward pass with create_graph=True; 2: in one through that ...
    seconds: float | None = None  # since the operation before it ended
    backward_seconds: float | None = None
    nonfinite: str = ""  # "value" or "gradient" where it makes the first NaN or infinity from finite numbers
    failure: str = ""  # what it raised, or made another raise


@dataclass
class Leaf:
    """What an operation reads and no operation made, or what is given back at the end.

    ``kind`` is "parameter" (of a module, and trained), "frozen" (a parameter that requires no gradient), "buffer", "leaf"
    (another tensor that requires a gradient), "constant" (one that requires none, such as the data) or "output".
    """

    id: str
    names: list[str]
    kind: str
    group: str = ""
    shape: list[int] = field(default_factory=list)
    dtype: str = ""
    value: Statistics | None = None
    gradient: Statistics | None = None


@dataclass
class Arrow:
    """A value that flows from `source` to the argument `argument` of `target`, and a gradient that flows back."""

    source: str
    target: str
    argument: str = ""
    shape: list[int] = field(default_factory=list)
    gradient: Statistics | None = None  # what `target` sent back along it


@dataclass
class Source:
    """The Python text of an operation's forward, and of the derivative rule of each argument."""

    forward: str = ""
    rules: dict[str, str] = field(default_factory=dict)


@dataclass
class Group:
    """Operations that belong together. ``kind`` says why: the "root" of all; a call of a "module" or of a "function"; a
    backward "pass"; a "line" of source; a "run" of equal members, of which ``repeats`` says how many there are.

    A ``whole`` one is one thing to its user, and drawn as one box unless it is asked for: a layer or a function of the library.
    ``members`` are the ids of operations, leaves and groups, in the order of computation. The first of a run stands for all.
    """

    id: str
    kind: str
    title: str = ""
    type: str = ""  # the class of a module
    path: str = ""  # the dotted path of a module in its model
    call: int = 0  # which call of the module it was, from 0
    parent: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    line: str = ""
    members: list[str] = field(default_factory=list)
    repeats: int = 1
    whole: bool = False


@dataclass
class Graph:
    """A computation as data. ``groups[""]`` is the root; ``operations``, ``leaves`` and ``groups`` are by id,
    ``sources`` by the ``node`` of operations."""

    operations: dict[str, Operation] = field(default_factory=dict)
    leaves: dict[str, Leaf] = field(default_factory=dict)
    arrows: list[Arrow] = field(default_factory=list)
    groups: dict[str, Group] = field(default_factory=lambda: {"": Group("", "root")})
    sources: dict[str, Source] = field(default_factory=dict)
    title: str = ""
    failure: str = ""  # of a computation that ended in an error: what was raised
    peak: int = 0  # bytes that were kept for the backward pass at its beginning

    def __getitem__(self, id: str) -> Operation | Leaf | Group:
        return self.operations.get(id) or self.leaves.get(id) or self.groups[id]

    def inside(self, id: str) -> Iterator[str]:
        """The ids of the operations and leaves in the group `id`, or `id` itself if it is one."""
        waiting = [id]
        while waiting:
            found = waiting.pop()
            group = self.groups.get(found)
            if group is None:
                yield found
            else:
                waiting.extend(reversed(group.members))

    def ancestors(self, id: str) -> Iterator[str]:
        """The groups that hold `id`, from the innermost to the root."""
        thing = self[id]
        at = thing.parent if isinstance(thing, Group) else thing.group
        while at:
            yield at
            at = self.groups[at].parent
        yield ""

    def common_group(self, a: str, b: str) -> Group:
        """The innermost group that holds both `a` and `b`."""
        above = set(self.ancestors(a))
        return self.groups[next(g for g in self.ancestors(b) if g in above)]

    def to_dict(self) -> dict[str, Any]:
        """The graph as what JSON can say: NaN and infinities are the strings "nan", "inf" and "-inf"."""
        data: dict[str, Any] = spoken(asdict(self))
        return data

    def to_json(self, **options: Any) -> str:
        """:meth:`to_dict` as JSON; `options` are those of ``json.dumps``."""
        return json.dumps(self.to_dict(), **options)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Graph:
        """The graph that :meth:`to_dict` gave."""
        def made(kind: Any, given: dict[str, Any]) -> Any:
            return kind(**{name: Statistics(**heard(x)) if name in ("value", "gradient") and x is not None else x
                           for name, x in given.items()})

        return cls({k: made(Operation, x) for k, x in data["operations"].items()},
                   {k: made(Leaf, x) for k, x in data["leaves"].items()}, [made(Arrow, x) for x in data["arrows"]],
                   {k: Group(**x) for k, x in data["groups"].items()},
                   {k: Source(**x) for k, x in data["sources"].items()}, data["title"], data["failure"], data["peak"])


def spoken(x: Any) -> Any:
    """`x` with a string in the place of each number that JSON has not, and text that every encoding can write."""
    if isinstance(x, dict):
        return {spoken(k): spoken(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [spoken(v) for v in x]
    if isinstance(x, float) and not math.isfinite(x):
        return str(x)
    return x.encode("utf-8", "replace").decode() if isinstance(x, str) else x


def heard(x: dict[str, Any]) -> dict[str, Any]:
    """The numbers of a :class:`Statistics` that :func:`spoken` said."""
    return {k: float(v) if v in ("nan", "inf", "-inf") else v for k, v in x.items()}
