"""The graph behind the result of a replay: one node, whose backward pass is a recording as well."""

from __future__ import annotations

import itertools
from typing import Any

from minigrad._types.tensor_base import TensorBase
from minigrad.autograd.engine import OutputGradients
from minigrad.compiler.replay import Replay
from minigrad.compiler.tape import Tape
from minigrad.errors import GraphError
from minigrad.recording.graph import Node, output_edge

MOST_RESULTS = 3  # with a graph: for each choice of those that gradients come from, there is a recording


def tensor(array: Any) -> Any:
    """`array` as a tensor outside of any graph."""
    t: Any = object.__new__(TensorBase.result_class)
    t.array, t.node = array, None
    return t


def tensor_with(array: Any, node: Any, off: Any) -> Any:
    """`array` as a tensor with a place in a graph, or with the reason that it has none."""
    t = tensor(array)
    t.node = node
    if off is not None:
        t._off = off
    return t


class CompiledBackward(Node):
    """The node of a replayed call. What it saves is what the lines of its backward pass take from the call."""

    __slots__ = ("passes", "saved_from")
    op_name = "compiled"
    arguments = ("a value of the replayed call",)
    passes: Passes

    def backward(self, g: Any, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        gradients = g if isinstance(g, OutputGradients) else (g,)
        if any([isinstance(x, TensorBase) for x in gradients]):
            raise GraphError("compile does not support double backward through what a compiled function or module returns; "
                             "compile the whole step, with its derivatives, or call the function itself")
        return self.passes.run(gradients, saved)


class Passes:
    """The backward passes from the results of a call, for each choice of results that gradients come from.

    With each stand the leaves that the gradients go to, in the order in which these arrive: one that several arrive at stands
    there as often, so that they are added in the order in which the graph would add them.
    """

    def __init__(self, shapes: list[Any], where: tuple[Any, int]) -> None:
        self.shapes, self.where = shapes, where
        self.tapes: dict[tuple[bool, ...], tuple[Tape, list[str]]] = {}  # each with what it calls the leaves
        self.saved: list[str] = []  # the names of what the lines use of the call

    def choices(self) -> list[tuple[bool, ...]]:
        """Each choice of results."""
        return [choice for choice in itertools.product((True, False), repeat=len(self.shapes)) if any(choice)]

    def same_as(self, other: Passes) -> bool:
        """Whether the passes do the same."""
        return self.shapes == other.shapes and self.saved == other.saved and self.tapes.keys() == other.tapes.keys() and all(
            [tape.reads_as(other.tapes[choice][0]) and leaves == other.tapes[choice][1]
             for choice, (tape, leaves) in self.tapes.items()])

    def compile(self, called: str) -> None:
        """Make the functions that run the passes."""
        self.replays: dict[tuple[bool, ...], tuple[Replay, int, int]] = {}
        before, after = 0, sum([len(leaves) for _, leaves in self.tapes.values()])
        for choice, (tape, leaves) in self.tapes.items():
            after -= len(leaves)
            self.replays[choice] = Replay(tape, f"backward of {called}"), before, after
            before += len(leaves)

    @property
    def source(self) -> str:
        """What the passes run."""
        return "".join([replay.source for replay, _, _ in self.replays.values()])

    @property
    def leaf_names(self) -> list[str]:
        """What all tapes call the leaves, one after the other."""
        return [name for _, leaves in self.tapes.values() for name in leaves]

    def run(self, gradients: tuple[Any, ...], saved: tuple[Any, ...]) -> tuple[Any, ...]:
        """The gradients of the leaves, with None for those of the other choices."""
        replay, before, after = self.replays[tuple([x is not None for x in gradients])]
        return (*[None] * before, *replay.function(*[x for x in gradients if x is not None], *saved), *[None] * after)

    def results(self, arrays: tuple[Any, ...], saved: tuple[Any, ...], leaves: tuple[Any, ...]) -> list[Any]:
        """The results of a replay as tensors with their place in the graph."""
        several = len(arrays) > 1
        node = CompiledBackward.make(leaves, tuple(self.shapes) if several else self.shapes[0], saved, (), *self.where)
        node.passes, node.saved_from = self, (0,) * len(saved)
        return [tensor_with(array, output_edge(node, k, array) if several else node, None) for k, array in enumerate(arrays)]
