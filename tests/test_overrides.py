"""``__torch_function__``: what classes answer for operations, and what becomes of subclasses of Tensor."""

from __future__ import annotations

import operator
import subprocess
import sys
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn, overrides
from minigrad.nn import functional as F


class Diagonal:
    """A matrix with one value on its diagonal, that answers for a few functions; not a tensor."""

    def __init__(self, n: int, value: float) -> None:
        self.n, self.value = n, value

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert types == (cls,)
        if func is mg.mean:
            return args[0].value / args[0].n
        return NotImplemented if func is mg.exp else (func.__name__, len(args))


def test_a_foreign_class_answers() -> None:
    d = Diagonal(5, 2.0)
    assert mg.mean(d) == 0.4
    assert mg.mul(mg.ones(2), d) == ("mul", 2) and mg.ones(2) * d == ("mul", 2) and mg.matmul(mg.ones(2, 2), d) == ("matmul", 2)
    assert operator.pow(mg.ones(2), d)[0] == "pow" or mg.pow(mg.ones(2), d)[0].startswith("pow")
    assert mg.cat([d, d]) == ("cat", 1) and F.dropout(d, 0.5)[0] == "dropout" and mg.chunk(d, 2)[0] == "chunk"


def test_settings_are_handed_over_where_they_were_given() -> None:
    class Settings:
        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return kwargs

    x = Settings()
    assert mg.mean(x) == mg.add(x, 1) == mg.cat([x, x]) == mg.sort(x) == {}
    assert mg.mean(x, 0) == {"dim": 0} and mg.topk(x, 1, largest=False) == {"k": 1, "largest": False}


def test_a_function_that_nobody_answers_is_refused() -> None:
    with pytest.raises(TypeError, match=r"no implementation found for 'exp' on types that implement __torch_function__: \['Diag"):
        mg.exp(Diagonal(5, 2.0))


def test_the_helpers() -> None:
    d = Diagonal(5, 2.0)
    assert overrides.has_torch_function((1, [d])) and not overrides.has_torch_function((mg.ones(1),))
    assert overrides.is_tensor_like(d) and overrides.is_tensor_like(mg.ones(1)) and not overrides.is_tensor_like(3)
    assert overrides.handle_torch_function(mg.mean, (d,), d) == 0.4


def test_results_of_a_subclass_are_of_it_and_those_of_a_parameter_are_not() -> None:
    class Mine(mg.Tensor):
        pass

    class Weight(nn.Parameter):
        pass

    x = Mine([1.0, 2.0])
    assert type(x + 1) is type(x.exp()) is type(mg.cat([x, x])) is type(x.sum(0)) is Mine
    assert type(Weight(mg.ones(2)) * 2) is type(nn.Parameter(mg.ones(2)) * 2) is mg.Tensor


SUBCLASS = '''
import minigrad as mg
from minigrad.nn import functional as F
plain = mg.mul(mg.ones(2), 3).tolist()
calls = []
class Logging(mg.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        calls.append(func.__name__)
        return super().__torch_function__(func, types, args, kwargs)
x = Logging([1.0, 2.0])
y = mg.ones(2)
for result in (x * y, y * x, mg.exp(x), x.sum(), mg.cat([y, x]), F.mse_loss(y, x), mg.chunk(x, 2)[0] * 1):
    assert type(result) is Logging, type(result)
assert calls == ["mul", "mul", "exp", "sum", "cat", "mse_loss", "chunk", "mul"], calls
assert type(y * 2) is mg.Tensor and len(calls) == 8 and mg.mul(mg.ones(2), 3).tolist() == plain
w = mg.ones(2, requires_grad=True)
(w * x).sum().backward()
assert w.grad.tolist() == [1, 2]
class Settings(mg.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return kwargs
z = Settings([1.0])
assert mg.mean(z) == mg.add(z, 1) == mg.cat([z, z]) == mg.sort(z) == {}
assert mg.mean(z, 0) == {"dim": 0} and mg.topk(z, 1, largest=False) == {"k": 1, "largest": False}
for function in (mg.cat, mg.stack):
    try:
        function(3)
    except TypeError as error:
        assert "argument 'tensors' must be" in str(error), error
    else:
        raise AssertionError("accepted")
'''


def test_a_subclass_of_tensor_answers() -> None:
    """In a process of its own, as call paths have a line more once there is such a class."""
    subprocess.run([sys.executable, "-W", "error", "-c", SUBCLASS], check=True)
