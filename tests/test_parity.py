"""The same lines run by minigrad and by PyTorch, where it is installed, must give the same: values, types, words, refusals."""

from __future__ import annotations

import itertools
import math
import operator
import warnings
from typing import Any, Callable

import numpy as np
import pytest

import minigrad

torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
pytestmark = pytest.mark.parity


def described(value: Any) -> Any:
    """A result as plain data that both libraries can agree on."""
    if hasattr(value, "detach"):
        array = value.detach().cpu().numpy()
        return str(value.dtype).split(".")[-1], tuple(value.shape), value.requires_grad, array
    if isinstance(value, (tuple, list)):
        return [described(v) for v in value]
    if isinstance(value, dict):
        return {k: described(v) for k, v in value.items()}
    return str(value).replace("torch", "minigrad") if "dtype" in type(value).__name__ else value


def same(a: Any, b: Any) -> None:
    if isinstance(a, np.ndarray):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)
    elif isinstance(a, (tuple, list)):
        assert isinstance(b, (tuple, list)) and len(a) == len(b), (a, b)
        for x, y in zip(a, b):
            same(x, y)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for k in a:
            same(a[k], b[k])
    elif isinstance(a, (float, complex)):
        assert a == pytest.approx(b, rel=1e-5, abs=1e-7, nan_ok=True)
    else:
        assert a == b


def outcome(run: Callable[[Any], Any], library: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return described(run(library))
        except Exception as error:
            return next(c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins")


def grads(m: Any, function: Callable[..., Any], *values: Any, dtype: Any = None) -> Any:
    """The result of `function` and the gradients of its arguments."""
    xs = [m.tensor(v, dtype=dtype or m.float64, requires_grad=True) for v in values]
    out = function(*xs)
    out.sum().backward()
    return [out.detach(), *[x.grad for x in xs]]


M = [[1.0, -2.0, 3.0], [0.5, 0.0, -1.5]]
V = [0.3, -0.7, 2.0]

CASES: dict[str, Callable[[Any], Any]] = {
    # creation and dtypes
    "tensor of ints": lambda m: m.tensor([1, 2]),
    "tensor of floats": lambda m: m.tensor([1.5]),
    "tensor of bools": lambda m: m.tensor([True]),
    "tensor of complex": lambda m: m.tensor(1j),
    "empty tensor": lambda m: m.tensor([]),
    "ragged": lambda m: m.tensor([[1], [1, 2]]),
    "arange": lambda m: [m.arange(3), m.arange(1.0, 2.0, 0.25), m.arange(5, 0, -2)],
    "linspace": lambda m: m.linspace(0, 1, 5),
    "full": lambda m: [m.full((2,), 3), m.full((2,), 3.0), m.full((2,), True)],
    "eye": lambda m: m.eye(2, 3),
    "zeros_like": lambda m: m.zeros_like(m.tensor([1, 2])),
    "integer with gradient": lambda m: m.tensor([1], requires_grad=True),
    # arithmetic and promotion
    "int / int": lambda m: m.tensor([3, 4]) / m.tensor([2, 2]),
    "int // int": lambda m: m.tensor([-3, 4]) // m.tensor([2, 2]),
    "int % int": lambda m: m.tensor([-3, 4]) % m.tensor([2, -3]),
    "float % float": lambda m: m.tensor([-3.5, 4.0]) % m.tensor([2.0, -3.0]),
    "int ** negative": lambda m: m.tensor([2]) ** -1,
    "int + float scalar": lambda m: m.tensor([1]) + 1.5,
    "uint8 + 300": lambda m: m.tensor([1], dtype=m.uint8) + 300,
    "float32 + 0-dim float64": lambda m: m.tensor([1.0]) + m.tensor(1.0, dtype=m.float64),
    "int32 + 0-dim int64": lambda m: m.tensor([1], dtype=m.int32) + m.tensor(1),
    "bool + bool": lambda m: m.tensor([True]) + m.tensor([True]),
    "bool - bool": lambda m: m.tensor([True]) - m.tensor([True]),
    "scalar - tensor": lambda m: 1 - m.tensor([1.0, 2.0]),
    "scalar / int tensor": lambda m: 1 / m.tensor([1, 2]),
    "2 ** tensor": lambda m: 2 ** m.tensor([1.0, 2.0]),
    "comparison": lambda m: [m.tensor(V) > 0, m.tensor([1, 2]) == m.tensor([1.0, 2.5])],
    "invert bool": lambda m: ~m.tensor([True, False]),
    "and of ints": lambda m: m.tensor([6]) & m.tensor([3]),
    "wrong shapes": lambda m: m.ones(2, 3) + m.ones(4),
    "tensor + str": lambda m: m.ones(2) + "a",
    "truth of two": lambda m: bool(m.ones(2)),
    "truth of none": lambda m: bool(m.ones(0)),
    # reductions
    "sum of bools": lambda m: m.tensor([True, True]).sum(),
    "sum of int32": lambda m: m.tensor([1, 2], dtype=m.int32).sum(),
    "mean of ints": lambda m: m.tensor([1, 2]).mean(),
    "sum over dims": lambda m: m.tensor(M).sum((0, 1), keepdim=True),
    "dim out of range": lambda m: m.tensor(M).sum(2),
    "max with dim": lambda m: list(m.tensor(M).max(1)),
    "max of nothing": lambda m: m.zeros(0).max(),
    "argmax": lambda m: [m.tensor(M).argmax(), m.tensor(M).argmax(0), m.tensor(M).argmax(1, keepdim=True)],
    "var, std": lambda m: [m.tensor(M).var(), m.tensor(M).std(0), m.tensor(M).var(1, correction=0)],
    "var of one": lambda m: m.tensor([1.0]).var(),
    "prod": lambda m: grads(m, lambda x: x.prod(1), M),
    "amax shares": lambda m: grads(m, lambda x: x.amax(), [1.0, 3.0, 3.0]),
    "max picks": lambda m: grads(m, lambda x: x.max(0).values, [1.0, 3.0, 3.0]),
    "logsumexp": lambda m: grads(m, lambda x: x.logsumexp(1), M),
    "cumsum": lambda m: grads(m, lambda x: x.cumsum(1) * x, M),
    "norm": lambda m: grads(m, lambda x: x.norm(), M),
    "norm of zeros": lambda m: grads(m, lambda x: x.norm(), [0.0, 0.0]),
    "sort": lambda m: list(m.tensor(M).sort(1, descending=True)),
    "topk": lambda m: list(m.tensor(M).topk(2)),
    # shapes and indices
    "reshape -1": lambda m: m.arange(6).reshape(2, -1),
    "view of a transposed": lambda m: m.arange(6).reshape(2, 3).t().view(6),
    "expand": lambda m: m.ones(2, 1).expand(-1, 3),
    "expand wrong": lambda m: m.ones(2, 2).expand(2, 3),
    "squeeze": lambda m: [m.ones(1, 2, 1).squeeze(), m.ones(1, 2, 1).squeeze(0), m.ones(1, 2, 1).squeeze(1)],
    "cat of two dtypes": lambda m: m.cat([m.tensor([1]), m.tensor([1.5])]),
    "stack of two shapes": lambda m: m.stack([m.ones(2), m.ones(3)]),
    "split": lambda m: list(m.arange(5).split(2)),
    "chunk": lambda m: list(m.arange(5).chunk(3)),
    "index list": lambda m: m.arange(5)[[0, 2]],
    "index mask": lambda m: m.arange(5)[m.arange(5) > 2],
    "index none and ellipsis": lambda m: m.ones(2, 3)[None, ..., 0],
    "index two lists": lambda m: m.arange(6).reshape(2, 3)[[0, 1], [1, 2]],
    "index split by slice": lambda m: m.ones(2, 3, 4)[[0, 1], :, [0, 1]],
    "index out of range": lambda m: m.ones(2)[5],
    "index float": lambda m: m.ones(2)[0.5],
    "assign slice": lambda m: _assigned(m, slice(0, 2), 7.0),
    "gather": lambda m: grads(m, lambda x: x.gather(1, m.tensor([[0, 0], [2, 1]])), M),
    "scatter": lambda m: m.zeros(2, 3).scatter(1, m.tensor([[0], [2]]), 5.0),
    "masked_fill": lambda m: grads(m, lambda x: x.masked_fill(x > 0, -1.0), M),
    "where": lambda m: grads(m, lambda x, y: m.where(x > 0, x, y), V, [1.0, 2.0, 3.0]),
    "take_along_dim": lambda m: m.take_along_dim(m.tensor(M), m.tensor([[0], [1]]), 1),
    "tril": lambda m: m.tril(m.ones(3, 3), -1),
    "roll, flip": lambda m: [m.arange(5).roll(2), m.arange(6).reshape(2, 3).flip(0, 1)],
    # gradients at special points
    "abs at 0": lambda m: grads(m, lambda x: x.abs(), [0.0, -1.0]),
    "relu at 0": lambda m: grads(m, lambda x: x.relu(), [0.0, -1.0, 1.0]),
    "sqrt at 0": lambda m: grads(m, lambda x: x.sqrt(), [0.0, 4.0]),
    "clamp at its bounds": lambda m: grads(m, lambda x: x.clamp(-1, 1), [-1.0, 0.0, 1.0, 2.0]),
    "maximum of equals": lambda m: grads(m, m.maximum, [1.0, 2.0], [1.0, 0.0]),
    "pow at 0": lambda m: grads(m, lambda x: x**2, [0.0, -1.0]),
    "pow of tensors": lambda m: grads(m, lambda x, y: x**y, [2.0, 3.0], [2.0, 0.0]),
    "round": lambda m: grads(m, lambda x: x.round(), [0.5, 1.5, -0.5]),
    "sign": lambda m: grads(m, lambda x: x.sign(), [0.0, -3.0]),
    "floor divide": lambda m: m.tensor([-7.0]).floor_divide(2),
    "atan2": lambda m: grads(m, m.atan2, V, [1.0, -1.0, 0.5]),
    # products
    "matmul": lambda m: grads(m, m.matmul, M, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
    "matmul vectors": lambda m: grads(m, m.matmul, V, V),
    "matmul wrong": lambda m: m.ones(2, 3) @ m.ones(2, 3),
    "matmul two dtypes": lambda m: m.ones(2, 2) @ m.ones(2, 2, dtype=m.float64),
    "einsum": lambda m: grads(m, lambda x, y: m.einsum("ij,j->i", x, y), M, V),
    "outer": lambda m: grads(m, m.outer, V, V),
    # functions of networks
    "softmax": lambda m: grads(m, lambda x: x.softmax(1) * x, M),
    "log_softmax": lambda m: grads(m, lambda x: m.nn.functional.log_softmax(x, 1) * x, M),
    "gelu": lambda m: grads(m, m.nn.functional.gelu, V),
    "gelu tanh": lambda m: grads(m, lambda x: m.nn.functional.gelu(x, approximate="tanh"), V),
    "softplus": lambda m: grads(m, m.nn.functional.softplus, [-30.0, 0.0, 30.0]),
    "layer_norm": lambda m: grads(m, lambda x: m.nn.functional.layer_norm(x, (3,)) * x, M),
    "cross_entropy": lambda m: grads(m, lambda x: m.nn.functional.cross_entropy(x, m.tensor([0, 2])), M),
    "cross_entropy options": lambda m: grads(m, lambda x: m.nn.functional.cross_entropy(
        x, m.tensor([0, -100]), weight=m.tensor([1.0, 2.0, 3.0], dtype=m.float64), label_smoothing=0.1), M),
    "mse_loss": lambda m: grads(m, m.nn.functional.mse_loss, V, [0.0, 0.0, 1.0]),
    "bce_with_logits": lambda m: grads(m, lambda x: m.nn.functional.binary_cross_entropy_with_logits(
        x, m.tensor([0.0, 1.0, 1.0], dtype=m.float64)), V),
    "conv2d": lambda m: grads(m, lambda x, w: m.nn.functional.conv2d(x, w, stride=2, padding=1),
                              np.arange(32.0).reshape(1, 2, 4, 4).tolist(), np.arange(54.0).reshape(3, 2, 3, 3).tolist()),
    "max_pool2d": lambda m: grads(m, lambda x: m.nn.functional.max_pool2d(x, 2), np.arange(16.0).reshape(1, 1, 4, 4).tolist()),
    "avg_pool2d": lambda m: grads(m, lambda x: m.nn.functional.avg_pool2d(x, 3, 2, 1),
                                  np.arange(16.0).reshape(1, 1, 4, 4).tolist()),
    "embedding": lambda m: grads(m, lambda w: m.nn.functional.embedding(m.tensor([[0, 1], [1, 1]]), w), M),
    # the engine
    "second derivative": lambda m: _second(m),
    "no grad needed": lambda m: m.ones(1).backward(),
    "vector backward": lambda m: (m.ones(2, requires_grad=True) * 2).backward(),
    "twice": lambda m: _twice(m),
    "in place on a leaf": lambda m: m.ones(1, requires_grad=True).mul_(2),
    "numpy of what requires grad": lambda m: m.ones(1, requires_grad=True).numpy(),
    "names of nodes": lambda m: _names(m),
    "in place through a view": lambda m: _through_view(m),
}


def _assigned(m: Any, index: Any, value: Any) -> Any:
    x = m.zeros(3)
    x[index] = value
    return x


def _second(m: Any) -> Any:
    x = m.tensor(V, dtype=m.float64, requires_grad=True)
    g, = m.autograd.grad((x.exp() * x.sin()).sum(), x, create_graph=True)
    return m.autograd.grad(g.sum(), x)[0]


def _twice(m: Any) -> None:
    y = m.ones(1, requires_grad=True) ** 2
    y.backward()
    y.backward()


def _names(m: Any) -> Any:
    x = m.ones(2, 2, requires_grad=True)
    made = [x + x, x * x, x / x, x - x, m.mm(x, x), x.exp(), x.sum(), x.mean(), x.transpose(0, 1), x.reshape(4), x[0], x.relu(),
            -x, x**2, m.cat([x, x]), x.clone(), x.view(4), x.permute(1, 0), x.to(m.float64)]
    return [t.grad_fn.name() for t in made]


def _through_view(m: Any) -> Any:
    x = m.tensor(V, dtype=m.float64, requires_grad=True)
    y = x * 2
    y[0:2].mul_(x[1:3])
    y.sum().backward()
    return [y.detach(), x.grad]


@pytest.mark.parametrize("name", CASES)
def test_the_same_lines_do_the_same(name: str) -> None:
    expected = outcome(CASES[name], torch)
    assert expected not in ("AttributeError", "NameError"), "the case itself is wrong"
    same(outcome(CASES[name], minigrad), expected)


DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128"]


NO_HALF_COMPLEX = ("complex32", "NotImplementedError")  # NumPy has no complex type of half precision; minigrad gives complex64


@pytest.mark.parametrize("op", ["add", "mul", "div", "where"])
def test_every_pair_of_dtypes_is_promoted_as_by_pytorch(op: str) -> None:
    for a, b in itertools.product(DTYPES, DTYPES):
        for shapes in (((2,), (2,)), ((2,), ()), ((), (2,)), ((), ())):
            def run(m: Any, a: str = a, b: str = b, shapes: Any = shapes) -> Any:
                x, y = m.ones(shapes[0], dtype=getattr(m, a)), m.ones(shapes[1], dtype=getattr(m, b))
                if op == "where":
                    return str(m.where(m.tensor([True, False]), x, y).dtype).split(".")[-1]
                return str(getattr(m, op)(x, y).dtype).split(".")[-1]
            expected = outcome(run, torch)
            if expected not in NO_HALF_COMPLEX:
                assert outcome(run, minigrad) == expected, f"{op} of {a}{list(shapes[0])} and {b}{list(shapes[1])}"


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_python_number_is_promoted_as_by_pytorch(dtype: str) -> None:
    for number in (True, 2, 2.5, 1j):
        for op in ("add", "mul", "div", "pow"):
            def run(m: Any, op: str = op, number: Any = number) -> Any:
                return str(getattr(m, op)(m.ones(2, dtype=getattr(m, dtype)), number).dtype).split(".")[-1]
            expected = outcome(run, torch)
            if expected not in NO_HALF_COMPLEX:
                assert outcome(run, minigrad) == expected, f"{op}({dtype}, {number!r})"


PRINTED: list[Callable[[Any], Any]] = [
    lambda m: m.tensor([[1.0, 2.0]]),
    lambda m: m.tensor([1, 20]),
    lambda m: m.tensor(1.5),
    lambda m: m.tensor([True]),
    lambda m: m.tensor([1e-8, 1.0]),
    lambda m: m.tensor([1.0, 1e9]),
    lambda m: m.tensor([0.1, float("nan"), float("-inf")]),
    lambda m: m.tensor([1.0], dtype=m.float64),
    lambda m: m.tensor([1], dtype=m.int16),
    lambda m: m.tensor([1.0], requires_grad=True),
    lambda m: m.tensor([[1.0, 2.0]], requires_grad=True) * 2,
    lambda m: m.zeros(0, 3),
    lambda m: m.arange(2000),
    lambda m: m.arange(12.0).reshape(2, 2, 3),
    lambda m: m.tensor([1 + 2j, -0.5j]),
    lambda m: m.Size([2, 3]),
    lambda m: m.nn.Sequential(m.nn.Linear(2, 3), m.nn.ReLU(), m.nn.Conv2d(1, 2, 3, padding=1)),
]


@pytest.mark.parametrize("k", range(len(PRINTED)))
def test_printed_as_by_pytorch(k: int) -> None:
    assert repr(PRINTED[k](minigrad)).replace("minigrad", "torch") == repr(PRINTED[k](torch))


# What Python makes of tensors: numbers, truth, indices, lengths.
EMPTY, PAIR, TRUE = [], [1.0, 2.0], [True, False]
PYTHON: dict[str, Callable[[Any], Any]] = {
    **{f"{convert.__name__} of {value}": lambda m, convert=convert, value=value: convert(m.tensor(value))
       for convert in (float, int, bool, complex)
       for value in (EMPTY, PAIR, [[1.5]], -1.7, 3, True, 1 + 2j, 1 + 0j, float("nan"), float("inf"))},
    **{f"{use.__name__} of {value}": lambda m, use=use, value=value: use(m.tensor(value))
       for use in (operator.index, range, hex, [1, 2, 3].__getitem__, len, list, max, math.sqrt, math.floor, round)
       for value in (EMPTY, PAIR, [1], [1, 2], 1, 1.0, True, 1 + 0j)},
    **{f"{name} of {value}": lambda m, name=name, value=value: getattr(m.tensor(value), name)()
       for name in ("item", "tolist", "is_nonzero") for value in (EMPTY, PAIR, [[1.5]], 2, 1j, True)},
    "slice by a tensor": lambda m: [1, 2, 3][m.tensor(1):], "slice by a float": lambda m: [1, 2, 3][m.tensor(1.0):],
    "first of no dimension": lambda m: m.tensor(1.0)[0], "two of no dimension": lambda m: m.tensor(1.0)[0, 0],
    "too many": lambda m: m.tensor(PAIR)[0, 0], "write to no dimension": lambda m: m.tensor(1.0).__setitem__(0, 1.0),
    "by a float": lambda m: m.tensor(PAIR)[1.5], "by a float tensor": lambda m: m.tensor(PAIR)[m.tensor(1.0)],
    "out of bounds": lambda m: m.tensor(PAIR)[2], "by an object": lambda m: m.tensor(PAIR)[object()],
    "if": lambda m: 1 if m.tensor(TRUE) else 0, "not": lambda m: not m.tensor(PAIR), "chain": lambda m: 0 < m.tensor(PAIR) < 3,
    "in": lambda m: 2.0 in m.tensor(PAIR), "str in": lambda m: "a" in m.tensor(PAIR), "list in": lambda m: PAIR in m.tensor(PAIR),
    "unpack": lambda m: [x.item() for x in [*m.tensor(PAIR)]], "unpack nothing": lambda m: [*m.tensor(1.0)],
    "size by a tensor": lambda m: m.zeros(m.tensor(2), 3), "NumPy's number": lambda m: float(np.float64(m.tensor(1.5)))}


def words(run: Callable[[Any], Any], library: Any) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run(library)
    except Exception as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", PYTHON)
def test_python_makes_the_same_of_tensors(name: str) -> None:
    expected = outcome(PYTHON[name], torch)
    same(outcome(PYTHON[name], minigrad), expected)
    said = words(PYTHON[name], torch).replace(" in Python or `tensor.item<T>()` in C++", "").rstrip(".")
    assert said.split(" (")[0].split(", inf")[0] in words(PYTHON[name], minigrad)


@pytest.mark.parametrize("index", ["a", b"a", (0, "a"), ["a"]])
def test_text_as_an_index_is_a_type_error_too(index: Any) -> None:
    for library in (torch, minigrad):
        with pytest.raises(TypeError):
            library.tensor([PAIR])[index]
