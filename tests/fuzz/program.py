"""Programs: lines of Python over ``torch``, run in a namespace, with what a user can see of every tensor after each line."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Iterator

import numpy as np

HEADER = '''\
import copy
import numpy as np

def leaf(shape, dtype, seed, grad=False):
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        array = rng.random(shape) < 0.5
    elif "int" in dtype:
        array = rng.integers(0 if dtype.startswith("u") else -4, 5, shape)
    elif "complex" in dtype:
        array = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    else:
        array = rng.standard_normal(shape)
    made = torch.from_numpy(np.asarray(array)).to(getattr(torch, dtype)).clone()
    return made.requires_grad_() if grad else made

def layer(module, seed):
    for i, (name, t) in enumerate(module.state_dict().items()):
        if t.is_floating_point():
            values = np.random.default_rng(seed + i).standard_normal(tuple(t.shape)) * 0.5
            t.copy_(torch.from_numpy(np.asarray(np.abs(values) + 0.5 if name.endswith("var") else values)))
    return module

def call(module, x):
    if isinstance(module, torch.nn.MultiheadAttention):
        return module(x, x, x)[0]
    return module(x)[0] if isinstance(module, torch.nn.RNNBase) else module(x)
'''


@dataclass(frozen=True)
class Seen:
    """What a user sees of a tensor."""

    shape: tuple[int, ...]
    dtype: str
    strides: tuple[int, ...]
    requires_grad: bool
    is_leaf: bool
    values: np.ndarray
    grad: Seen | None
    memory: int  # where the memory begins that it is a view of
    is_view: bool

    @property
    def overlaps(self) -> bool:
        """Whether two of its elements are one in memory, as in an expanded tensor or in windows."""
        places = [sum(k * step for k, step in zip(at, self.strides)) for at in np.ndindex(self.shape)]
        return len(set(places)) < len(places)


@dataclass
class Outcome:
    """What a line did: the tensors after it, by name, or what it raised."""

    seen: dict[str, Seen]
    error: Exception | None = None


def look_at(t: Any) -> Seen:
    """What a user sees of the tensor `t`, of either library."""
    grad = t.grad if t.is_leaf and t.requires_grad else None
    values = t.detach()
    if hasattr(values, "resolve_conj"):
        values = values.resolve_conj().resolve_neg()
    if str(t.dtype).endswith("bfloat16"):
        values = values.float()
    return Seen(tuple(t.shape), str(t.dtype).split(".")[-1], tuple(t.stride()), t.requires_grad, t.is_leaf,
                np.array(values.numpy()), None if grad is None else look_at(grad), t.untyped_storage().data_ptr(), t._is_view())


class Run:
    """A program being run with one library."""

    def __init__(self, library: Any) -> None:
        self.library = library
        self.names: dict[str, Any] = {"torch": library}
        exec(HEADER, self.names)
        self.helpers = set(self.names)

    def do(self, line: str) -> Exception | None:
        """Run one line; return what it raised."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                exec(line, self.names)
            except Exception as error:
                return error
        return None

    def tensors(self) -> Iterator[tuple[str, Any]]:
        """The tensors that the program has names for, and the parameters of its layers."""
        for name, value in self.names.items():
            if name in self.helpers:
                continue
            if isinstance(value, self.library.Tensor):
                yield name, value
            elif isinstance(value, self.library.nn.Module):
                for path, p in (*value.named_parameters(), *value.named_buffers()):
                    yield f"{name}.{path}", p

    def look(self) -> dict[str, Seen]:
        """What is seen of every tensor now."""
        return {name: look_at(t) for name, t in self.tensors()}


def script(lines: list[str]) -> str:
    """The program as a text that can be saved and run."""
    return "import minigrad as torch\n" + HEADER + "\n" + "\n".join(lines) + "\n"


def run(library: Any, lines: list[str]) -> list[Outcome]:
    """Run a program to its end, whatever its lines raise."""
    state = Run(library)
    outcomes = []
    for line in lines:
        error = state.do(line)
        outcomes.append(Outcome(state.look(), error))
    return outcomes

