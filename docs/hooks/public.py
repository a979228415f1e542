"""What is public, asked of the import system: the namespaces, their names, and an example of each."""

from __future__ import annotations

import importlib
import inspect
import re
from functools import cache
from pathlib import Path
from typing import Any, Iterator, NamedTuple

EXAMPLES = Path(__file__).parent.parent / "examples"

# The modules that users name, in the order of the site. An object that several of them offer is described in the first.
NAMESPACES = (
    "minigrad", "minigrad.autograd", "minigrad.autograd.functional", "minigrad.func",
    "minigrad.nn", "minigrad.nn.functional", "minigrad.nn.init", "minigrad.nn.parameter", "minigrad.nn.grad", "minigrad.nn.utils",
    "minigrad.nn.utils.parametrizations", "minigrad.nn.utils.parametrize", "minigrad.nn.utils.prune", "minigrad.nn.utils.fusion",
    "minigrad.nn.utils.rnn",
    "minigrad.optim", "minigrad.optim.lr_scheduler", "minigrad.optim.swa_utils",
    "minigrad.utils.data", "minigrad.utils.checkpoint", "minigrad.distributions", "minigrad.distributions.constraints",
    "minigrad.distributions.constraint_registry", "minigrad.distributions.relaxed_bernoulli",
    "minigrad.distributions.relaxed_categorical", "minigrad.distributions.transforms", "minigrad.distributions.utils",
    "minigrad.linalg", "minigrad.fft", "minigrad.special", "minigrad.signal.windows", "minigrad.masked", "minigrad.random",
    "minigrad.quasirandom",
    "minigrad.nn.attention", "minigrad.utils._pytree", "minigrad.utils.tensorboard",
    "minigrad.amp", "minigrad.cuda", "minigrad.cpu", "minigrad.accelerator", "minigrad.distributed", "minigrad.multiprocessing",
    "minigrad.futures",
    "minigrad.jit", "minigrad.compiler", "minigrad.fx", "minigrad.hub",
    "minigrad.onnx", "minigrad.backends", "minigrad.serialization", "minigrad.viz", "minigrad.datasets",
    "minigrad.vision", "minigrad.vision.datasets", "minigrad.vision.transforms", "minigrad.vision.transforms.functional",
    "minigrad.vision.transforms.v2", "minigrad.vision.transforms.v2.functional", "minigrad.vision.io", "minigrad.vision.models",
    "minigrad.vision.models.feature_extraction", "minigrad.vision.ops", "minigrad.vision.utils",
    "minigrad.testing", "minigrad.library", "minigrad.errors")

IMPORTS = """\
import io, math
import numpy as np
import minigrad as mg
from minigrad import nn, optim
from minigrad.nn import functional as F
"""


class Name(NamedTuple):
    """A public name: where it stands, what it means, and the name under which that object is described."""

    namespace: str
    name: str
    found: Any
    first: str

    @property
    def path(self) -> str:
        return f"{self.namespace}.{self.name}"


def names_of(namespace: str) -> list[str]:
    """The public names of a module: its ``__all__``, or else what it has of minigrad's own without an underscore."""
    module = importlib.import_module(namespace)
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return sorted(listed)
    found = ((name, getattr(module, name)) for name in dir(module) if not name.startswith("_"))
    return sorted(name for name, value in found
                  if not callable(value) or str(getattr(value, "__module__", "")).partition(".")[0] == "minigrad")


@cache
def public_names() -> list[Name]:
    """Every public name that is no module, of every namespace in turn."""
    found = [(namespace, name, getattr(importlib.import_module(namespace), name))
             for namespace in NAMESPACES for name in names_of(namespace)]
    found = [row for row in found if not inspect.ismodule(row[2]) and type(row[2]).__module__ != "__future__"]
    first: dict[int, str] = {}
    for own in (True, False):  # the name that an object has itself comes before its other names
        for namespace, name, value in found:
            if callable(value) and (getattr(value, "__name__", None) == name) is own:
                first.setdefault(id(value), f"{namespace}.{name}")
    return [Name(namespace, name, value, first.get(id(value), f"{namespace}.{name}")) for namespace, name, value in found]


@cache
def written_examples() -> dict[str, str]:
    """The examples in docs/examples, by full name.

    A file has the name of its namespace. Its paragraphs begin with a line of names, for which the session below is the example.
    """
    examples: dict[str, str] = {}
    for file in sorted(EXAMPLES.glob("*.txt")):
        for paragraph in re.split(r"\n\s*\n", file.read_text(encoding="utf-8").strip()):
            names, _, session = paragraph.partition("\n")
            for name in names.split(", "):
                path = f"{file.stem}.{name}"
                if path in examples:
                    raise ValueError(f"{file.name} has two examples of {name}")
                examples[path] = session + "\n"
    return examples


def tensor_members() -> dict[str, str | None]:
    """What a tensor has, and for each the function of minigrad that it is the method of, or the in-place form of, or None."""
    functions = {n.name for n in public_names() if n.namespace == "minigrad" and callable(n.found)}
    tensor = importlib.import_module("minigrad").Tensor
    members = sorted((m for m in dir(tensor) if not m.startswith("_")), key=str.lower)
    return {m: next((f for f in (m, m.rstrip("_")) if f in functions), None) for m in members}


def without_example() -> Iterator[str]:
    """The full names of callables, and of what only tensors have, that show an example neither in docstring nor docs/examples."""
    examples = written_examples()
    tensor = importlib.import_module("minigrad").Tensor
    for member, function in tensor_members().items():
        path = f"minigrad.Tensor.{member}"
        if function is None and path not in examples and ">>>" not in (inspect.getdoc(getattr(tensor, member)) or ""):
            yield path
    shown = {n.first for n in public_names() if n.path in examples or ">>>" in (inspect.getdoc(n.found) or "")}
    for name in public_names():
        if callable(name.found) and name.path == name.first and name.first not in shown:
            yield name.path
