"""Python's operators leave an operand that no operation takes to the class of that operand, as Python's protocol asks."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

import minigrad as mg

BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "lshift", "rshift", "and", "or", "xor")
METHODS = ([f"__{name}__" for name in BINARY] + [f"__r{name}__" for name in BINARY]
           + [f"__i{name}__" for name in BINARY if name != "matmul"]
           + [f"__{name}__" for name in ("lt", "le", "gt", "ge", "eq", "ne")])


class Unknown:
    """Something that no operation takes, and that answers to no operator."""


class Answers:
    """Something that answers to every reflected operator."""

    def answer(self, other: Any) -> str:
        return "answered"

    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __rmatmul__ = answer
    __rlshift__ = __rrshift__ = __rand__ = __ror__ = __rxor__ = __lt__ = __le__ = __gt__ = __ge__ = answer


@pytest.mark.parametrize("dtype", [mg.bool, mg.int64, mg.float32, mg.complex64])
@pytest.mark.parametrize("name", METHODS)
def test_an_unknown_operand_is_not_implemented(name: str, dtype: mg.dtype) -> None:
    for other in (Unknown(), None, [1, 2], "text", {}, Unknown):
        assert getattr(mg.ones(2, dtype=dtype), name)(other) is NotImplemented


def test_a_matrix_is_not_multiplied_by_a_number() -> None:
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for @"):
        mg.ones(2, 2) @ 2


@pytest.mark.parametrize("name", [f"{n}_" if n in ("and", "or") else n for n in BINARY] + ["lt", "le", "gt", "ge"])
def test_the_other_operand_answers(name: str) -> None:
    assert getattr(operator, name)(mg.ones(2), Answers()) == "answered"


@pytest.mark.parametrize("name", [f"i{n}" for n in BINARY])
def test_the_other_operand_answers_to_a_write(name: str) -> None:
    t = mg.ones(2)
    assert getattr(operator, name)(t, Answers()) == "answered"
    assert t.tolist() == [1, 1]


def test_what_nobody_answers_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \+: 'Tensor' and 'Unknown'"):
        mg.ones(2) + Unknown()
    with pytest.raises(TypeError, match="'<' not supported between instances of 'Tensor' and 'Unknown'"):
        bool(mg.ones(2) < Unknown())
    assert (mg.ones(2) == Unknown()) is False and (mg.ones(2) != None) is True  # noqa: E711


FUNCTIONS = {"operator": lambda o: mg.ones(2) * o, "reflected": lambda o: o * mg.ones(2), "compare": lambda o: mg.ones(2) == o,
             "function": lambda o: mg.add(mg.ones(2), o), "in place": lambda o: mg.ones(2).add_(o), "tensor": mg.tensor,
             "as_tensor": mg.as_tensor, "from_numpy": mg.from_numpy, "asarray": mg.asarray}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arrays_of_foreign_dtypes_are_refused_by_name(name: str) -> None:
    if name in ("tensor", "as_tensor", "asarray"):
        assert FUNCTIONS[name](np.ones(2, ">f4")).tolist() == [1, 1]
    else:
        with pytest.raises(ValueError, match="given numpy array of >f4 has byte order different from the native"):
            FUNCTIONS[name](np.ones(2, ">f4"))
    for foreign in (np.array(["a", "b"]), np.array([1, 2], "datetime64[s]"), np.array([object(), 1])):
        with pytest.raises(TypeError, match="can't convert np.ndarray of type"):
            FUNCTIONS[name](foreign)


def test_foreign_scalars_are_refused_by_name() -> None:
    for name in ("operator", "function", "compare", "in place", "tensor"):
        with pytest.raises(TypeError, match="can't convert np.ndarray of type datetime64"):
            FUNCTIONS[name](np.datetime64("2020-01-01"))


def test_functions_of_numpy_record_or_refuse() -> None:
    """``np.sum`` asks the tensor; ``np.concatenate`` would lose the gradient without a word."""
    t = mg.tensor([3.0, 1.0], requires_grad=True)
    np.sum(t).backward()
    assert t.grad is not None and t.grad.tolist() == [1, 1]
    for call in (lambda x: np.concatenate([x, x]), lambda x: np.where(x > 2, x, 0), lambda x: np.sort(x), np.copy,
                 lambda x: np.stack(arrays=[x, x])):
        with pytest.raises(RuntimeError, match=r"np\.\w+ computes outside of the graph, and one of the tensors"):
            call(t)
        assert isinstance(call(t.detach()), np.ndarray)
        with mg.no_grad():
            assert isinstance(call(t), np.ndarray)
    assert np.allclose(t.detach(), [3, 1]) and np.asarray(t).tolist() == [3, 1]


def test_numpy_of_a_parameter_under_no_grad_shares_its_memory() -> None:
    t = mg.zeros(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="requires grad"):
        t.numpy()
    with mg.no_grad():
        t.numpy()[0] = 5
    assert t.tolist() == [5, 0]
