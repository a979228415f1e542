"""Which results share memory: those of views, and they know their base. Over the public functions and methods, on every kind of
input that makes an operation do nothing: one element, sizes of 1, no dimensions, a kernel of 1."""

from __future__ import annotations

import itertools
import re
import types
from typing import Any, Iterator

import numpy as np
import pytest

import minigrad as mg

VALUES = {"0-d": np.array(1.5), "one": np.array([1.5]), "vector": np.arange(1.0, 5), "1x1": np.array([[1.5]]),
          "row": np.arange(1.0, 5).reshape(1, 4), "matrix": np.arange(1.0, 10).reshape(3, 3), "1x1x1": np.full((1, 1, 1), 1.5),
          "images": np.arange(1.0, 17).reshape(1, 4, 2, 2), "volume": np.full((1, 1, 1, 1, 1), 1.5)}
NAMESPACES = ("", "Tensor", "nn.functional", "linalg", "special", "fft")
# What has an effect of its own, or no tensor to begin with.
LEFT_OUT = re.compile(r".*_|set_.*|manual_seed|seed|compile|load|save|data|grad|backward|register_.*|empty.*|new_empty.*|rand.*")
# Outside the graph, so that nothing is to be tracked.
OUTSIDE = {"detach", "asarray", "as_tensor", "from_dlpack", "view", "new", "numpy", "as_subclass"}


def names_of(lib: Any) -> Iterator[tuple[str, str, Any]]:
    for path in NAMESPACES:
        space = lib
        for part in filter(None, path.split(".")):
            space = getattr(space, part)
        for name in dir(space):
            if not name.startswith("_") and not LEFT_OUT.fullmatch(name):
                found = getattr(space, name)
                if not isinstance(found, (type, types.ModuleType)) and (callable(found) or path == "Tensor"):
                    yield path, name, found


def inputs(lib: Any, name: str, dtype: str, transposed: bool) -> Any:
    values = VALUES[name].astype(dtype)
    x = lib.tensor(values.T.copy() if transposed else values, requires_grad=True) * 1
    return x.permute(tuple(range(x.ndim))[::-1]) if transposed else x


def argument_lists(lib: Any, x: Any) -> list[tuple[Any, ...]]:
    """What may follow the input: dims, sizes, kernels, repeats, other tensors."""
    one, index, same = lib.ones((), dtype=lib.int64), lib.zeros(1, dtype=lib.int64), lib.ones_like(x)
    shape = tuple(x.shape)
    single: list[Any] = [0, 1, -1, 2, (0,), (1,), (0, 1), (1, 1), (-1,), shape, 1.0, 0.0, (0,) * x.ndim, one, same, lib.float32]
    return [(), *[(v,) for v in single], *itertools.product((0, 1, -1), (0, 1)), (0, 0, 1), (1, 1, 1), (0, (1, -1)), (0, index),
            (index, 0), (shape, tuple(range(x.ndim))), (same, same), ([x], 0)]


def results(value: Any, kind: type) -> list[Any]:
    if isinstance(value, kind):
        return [value]
    return [x for part in value for x in results(part, kind)] if isinstance(value, (tuple, list)) else []


def call(found: Any, path: str, name: str, x: Any, args: tuple[Any, ...]) -> Any:
    """The result of a function or method, or None where it refuses these arguments."""
    if not callable(found) and args:
        return None
    try:
        return found(x, *args) if callable(found) else getattr(x, name)
    except Exception:
        return None


def share(x: Any, y: Any) -> bool:
    return x is y or bool(x.array.size and y.array.size and np.shares_memory(x.array, y.array))


CASES = [("0-d", "float32", False), ("one", "complex64", False), ("vector", "float32", False), ("1x1", "float32", False),
         ("row", "complex64", True), ("matrix", "float32", True), ("1x1x1", "float32", False), ("images", "float32", False),
         ("volume", "float32", False)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("value", "dtype", "transposed"), CASES)
def test_a_result_that_shares_memory_is_the_input_or_a_view_that_knows_its_base(value: str, dtype: str, transposed: bool) -> None:
    wrong = set()
    for path, name, found in names_of(mg):
        if name in OUTSIDE:
            continue
        x = inputs(mg, value, dtype, transposed)
        for args in argument_lists(mg, x):
            for out in results(call(found, path, name, x, args), mg.Tensor):
                if share(out, x) and out is not x and out._base is not (x if x._base is None else x._base):
                    wrong.add(f"{path}.{name} with {args}")
    assert not wrong


# A lazy view in PyTorch, computed here: docs/differences.md.
CONJUGATED = {"conj", "adjoint", "H", "mH"}


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("value", "dtype", "transposed"), CASES)
def test_what_shares_memory_is_what_does_in_pytorch(value: str, dtype: str, transposed: bool) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
    theirs = {(path, name): found for path, name, found in names_of(torch)}
    compared, wrong = 0, set()
    for path, name, found in names_of(mg):
        if (path, name) not in theirs or name in CONJUGATED and dtype == "complex64":
            continue
        x, y = inputs(mg, value, dtype, transposed), inputs(torch, value, dtype, transposed)
        storage = y.untyped_storage().data_ptr()
        for mine, other in zip(argument_lists(mg, x), argument_lists(torch, y)):
            expected = results(call(theirs[path, name], path, name, y, other), torch.Tensor)
            if not expected:
                continue
            for a, b in zip(results(call(found, path, name, x, mine), mg.Tensor), expected):
                if tuple(a.shape) == tuple(b.shape) and b.numel():
                    shares = b is y or b.untyped_storage().data_ptr() == storage
                    if share(a, x) != shares:
                        wrong.add(f"{path}.{name} with {mine} {'is no view' if shares else 'is a view'}, unlike PyTorch's")
                    compared += 1
    assert not wrong
    assert compared > 200


MODULES = {
    "images": ((1, 4, 2, 2), [("Upsample", (None, 1)), ("PixelShuffle", (1,)), ("PixelUnshuffle", (1,)), ("ChannelShuffle", (1,)),
               *[(f"{kind}Pad2d", (0,)) for kind in ("Reflection", "Replication", "Circular", "Zero")],
               ("ConstantPad2d", (0, 1.0)), ("MaxPool2d", (1,)), ("AvgPool2d", (1,)),
               ("AdaptiveAvgPool2d", (2,)), ("AdaptiveMaxPool2d", (2,)), ("LPPool2d", (1, 1)), ("Unflatten", (0, (1, 1))),
               ("Dropout2d", (0.0,)), ("Flatten", (0, 0)), ("Flatten", ()), ("Identity", ()), ("LocalResponseNorm", (1,))]),
    "a volume": ((1, 1, 2, 2, 2), [(f"{kind}Pad3d", (0,)) for kind in ("Reflection", "Replication", "Circular", "Zero")] +
                 [("MaxPool3d", (1,)), ("AvgPool3d", (1,)), ("Dropout3d", (0.0,)), ("Upsample", (None, 1))]),
    "rows": ((2, 3), [("Dropout", (0.0,)), ("AlphaDropout", (0.0,)), ("ReLU", ()), ("Threshold", (-9.0, 0.0)), ("Softmax", (0,)),
             ("Hardtanh", (-9.0, 9.0)), ("Hardshrink", (0.0,)), ("Softshrink", (0.0,)), ("LeakyReLU", (1.0,)), ("GLU", (0,)),
             ("Unflatten", (1, (3, 1))), ("ReflectionPad1d", (0,)), ("ReplicationPad1d", (0,)), ("RReLU", (1.0, 1.0))]),
}


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", MODULES)
def test_the_output_of_a_module_shares_memory_where_it_does_in_pytorch(name: str, training: bool) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
    shape, modules = MODULES[name]
    values = np.arange(1.0, 1 + np.prod(shape), dtype=np.float32).reshape(shape)
    for kind, settings in modules:
        x, y = mg.tensor(values), torch.tensor(values)
        out = getattr(mg.nn, kind)(*settings).train(training)(x)
        expected = getattr(torch.nn, kind)(*settings).train(training)(y)
        shares = expected is y or expected.untyped_storage().data_ptr() == y.untyped_storage().data_ptr()
        assert share(out, x) == shares, f"{kind}{settings}"
        assert out is x or not shares or out._base is x, f"{kind}{settings}"
        assert out.array.flags.writeable


def test_every_result_can_be_written() -> None:
    for x in (mg.normal(mg.tensor(1.0), mg.tensor(2.0)), mg.trace(mg.ones(1, 1)), mg.ones(3).expand(2, 3)[0],
              mg.eye(2).diagonal()):
        x.add_(1)
    other = mg.zeros(0, 1)
    assert mg.ormqr(mg.zeros(0, 0), mg.zeros(0), other) is not other
