"""Memory that must not be written is not written, whoever tries, and the words say what is the matter."""

from __future__ import annotations

import copy
import warnings
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F

WORDS = r"its memory is read-only.*write to a copy, x\.clone\(\)"
CHANGE_NO_ELEMENT = frozenset((
    "as_strided_", "detach_", "requires_grad_", "resize_", "resize_as_", "set_", "share_memory_", "squeeze_", "swapaxes_",
    "swapdims_", "t_", "transpose_", "unsqueeze_"))


def frozen(*shape: int, dtype: Any = np.float32, value: float = 1) -> Any:
    array = np.full(shape, value, dtype)
    array.flags.writeable = False
    return array


def on(array: np.ndarray[Any, Any]) -> mg.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of which there is a test of its own
        return mg.from_numpy(array)


# ---------------------------------------------------------------------------------------------------- methods

FLOATS, INTS = mg.full((3, 3), 0.5), mg.ones(3, 3, dtype=mg.int64)
INDEX = mg.zeros(1, dtype=mg.int64)
ATTEMPTS: tuple[tuple[Any, ...], ...] = (
    (), (1,), (2, 1), (0.5,), (FLOATS,), (INTS,), (FLOATS, 0.5), (FLOATS, FLOATS), (0, 1), (INTS > 0, 0.25), (INTS > 0, FLOATS),
    (0, INDEX, 0.25), (0, INDEX, FLOATS[:1]), (0, INDEX.expand(1, 3), FLOATS[:1]), (0, INDEX, FLOATS[:1], "prod"),
    (0, INDEX.expand(1, 3), FLOATS[:1], "sum"), ((INDEX,), FLOATS[0]), (INDEX, FLOATS[0, :1]), (2, 0, 0.25), (mg.float32,),
    (FLOATS, lambda a, b: b), (FLOATS, FLOATS, lambda a, b, c: b), (lambda a: 0.25,), (FLOATS[0], FLOATS[0]),
    (FLOATS, FLOATS[0]), (FLOATS[None], FLOATS[None]))
METHODS = sorted({name for name in dir(mg.Tensor) if name.endswith("_") and not name.startswith("_")} - CHANGE_NO_ELEMENT)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_that_writes_is_refused(name: str) -> None:
    """The arguments are those with which the method changes memory that may be written."""
    for dtype, value in ((np.float32, 0.75), (np.int64, 3), (np.bool_, 1)):
        for shape in ((3, 3), (3,), (1, 3, 3)):
            for args in ATTEMPTS:
                writable = mg.tensor(np.full(shape, value, dtype))
                try:
                    getattr(writable, name)(*args)
                except (TypeError, RuntimeError, ValueError, IndexError, AttributeError, NotImplementedError):
                    continue
                array = frozen(*shape, dtype=dtype, value=value)
                with pytest.raises(RuntimeError, match=WORDS):
                    getattr(on(array), name)(*args)
                assert (array == np.full(shape, value, dtype)).all()
                return
    pytest.fail(f"none of the attempts fits {name}: add arguments")


# ---------------------------------------------------------------------------------------------------- everything else

def step(optimizer: Any, array: Any, **settings: Any) -> None:
    w = nn.Parameter(on(array))
    w.grad = mg.ones_like(w)
    optimizer([w], **settings).step()


def step_of_lbfgs(array: Any) -> None:
    w = nn.Parameter(on(array))
    optimizer = mg.optim.LBFGS([w])

    def closure() -> mg.Tensor:
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss
    optimizer.step(closure)


def with_grad(array: Any) -> mg.Tensor:
    w = mg.ones(*array.shape, requires_grad=True)
    w.grad = on(array)
    return w


def with_statistics(array: Any) -> nn.Module:
    norm = nn.BatchNorm1d(3)
    norm.running_mean = on(array[0])
    return norm


def load_into(array: Any) -> None:
    layer = nn.Linear(3, 3, bias=False)
    layer.weight = nn.Parameter(on(array))
    layer.load_state_dict({"weight": mg.zeros(3, 3)})


OPTIMIZERS = sorted({c.__name__ for c in vars(mg.optim).values() if isinstance(c, type) and issubclass(c, mg.optim.Optimizer)}
                    - {"LBFGS", "Optimizer"})
WRITES: dict[str, Callable[[Any], Any]] = {
    "x += 1": lambda a: on(a).__iadd__(1),
    "x[0] = 1": lambda a: on(a).__setitem__(0, 2.0),
    "x[1:] = y": lambda a: on(a).__setitem__(slice(1, None), mg.zeros(2, 3)),
    "x[mask] = 1": lambda a: on(a).__setitem__(on(a) > 0, 2.0),
    "x[index] = y": lambda a: on(a).__setitem__(INDEX, mg.zeros(3)),
    "x.view(...)": lambda a: on(a).view(9).t().mul_(2),
    "x[1:]": lambda a: on(a)[1:].add_(1),
    "x.detach()": lambda a: on(a).detach().exp_(),
    "x.data": lambda a: on(a).data.fill_(2),
    "add(out=)": lambda a: mg.add(FLOATS, 1, out=on(a)),
    "exp(out=)": lambda a: mg.exp(FLOATS, out=on(a)),
    "matmul(out=)": lambda a: mg.matmul(FLOATS, FLOATS, out=on(a)),
    "sort(out=)": lambda a: mg.sort(FLOATS, out=(on(a), mg.zeros(3, 3, dtype=mg.int64))),
    "zeros(out=)": lambda a: mg.zeros(3, 3, out=on(a)),
    "np.add(out=)": lambda a: np.add(a, 1, out=on(a)),  # type: ignore[call-overload]
    "relu(inplace=True)": lambda a: F.relu(on(a), inplace=True),
    "dropout(inplace=True)": lambda a: F.dropout(on(a), inplace=True),
    "embedding(max_norm=)": lambda a: F.embedding(INDEX, on(a), max_norm=0.1),
    "batch_norm": lambda a: with_statistics(a)(mg.randn(4, 3)),
    "native_batch_norm": lambda a: mg.native_batch_norm(mg.randn(4, 3), None, None, on(a[0]), mg.ones(3), True, 0.1, 1e-5),
    "instance_norm": lambda a: F.instance_norm(mg.randn(4, 3, 5), on(a[0]), mg.ones(3)),
    "storage()[0] = 2": lambda a: on(a).storage().__setitem__(0, 2.0),
    "storage().fill_": lambda a: on(a).storage().fill_(2.0),
    "zero_grad": lambda a: mg.optim.SGD([with_grad(a)]).zero_grad(set_to_none=False),
    "module.zero_grad": lambda a: with_grad(a).grad.zero_(),  # type: ignore[union-attr]
    "accumulation": lambda a: with_grad(a).sum().backward(),
    "clip_grad_norm_": lambda a: nn.utils.clip_grad_norm_([with_grad(a)], 0.1),
    "clip_grad_value_": lambda a: nn.utils.clip_grad_value_([with_grad(a)], 0.1),
    "load_state_dict": load_into,
    "LBFGS": step_of_lbfgs,
    **{f"nn.init.{name}": lambda a, name=name: getattr(nn.init, name)(on(a))  # type: ignore[misc]
       for name in ("normal_", "uniform_", "zeros_", "ones_", "eye_", "orthogonal_", "kaiming_uniform_", "xavier_normal_",
                    "trunc_normal_")},
    "nn.init.constant_": lambda a: nn.init.constant_(on(a), 2.0),
    "nn.init.sparse_": lambda a: nn.init.sparse_(on(a), 0.5),
    "nn.init.dirac_": lambda a: nn.init.dirac_(on(a[:, :, None])),
    **{f"{name}.step": lambda a, name=name: step(getattr(mg.optim, name), a) for name in OPTIMIZERS},  # type: ignore[misc]
    "SGD.step with momentum": lambda a: step(mg.optim.SGD, a, momentum=0.9),
}


@pytest.mark.parametrize("what", WRITES)
def test_whatever_writes_is_refused(what: str) -> None:
    array = frozen(3, 3)
    with pytest.raises(RuntimeError, match=WORDS):
        WRITES[what](array)
    assert (array == 1).all()


def test_a_step_names_the_parameter() -> None:
    good, bad = nn.Parameter(mg.ones(2)), nn.Parameter(on(frozen(3)))
    good.grad, bad.grad = mg.ones(2), mg.ones(3)
    with pytest.raises(RuntimeError, match=r"Adam\.step: parameter 1 of shape \[3\]: the tensor cannot be written"):
        mg.optim.Adam([good, bad]).step()


def test_low_precision_is_refused_too() -> None:
    with pytest.raises(RuntimeError, match=WORDS):
        step(mg.optim.SGD, frozen(3, dtype=mg.bfloat16.numpy), lr=0.1)
    with pytest.raises(RuntimeError, match=WORDS):
        on(frozen(3, dtype=np.float16)).index_add_(0, INDEX, mg.ones(1).half())


def test_copies_may_be_written() -> None:
    x = on(frozen(3))
    for duplicate in (x.clone(), mg.tensor(x.numpy()), copy.deepcopy(x), x + 0, x.to(mg.float64), x.to("cpu", copy=True)):
        assert duplicate.add_(1).tolist() == [2, 2, 2]
    w = nn.Parameter(x.clone())
    w.sum().backward()
    mg.optim.SGD([w], lr=1.0).step()
    assert w.tolist() == [0, 0, 0] and x.tolist() == [1, 1, 1]


def test_who_makes_a_tensor_of_such_memory_is_warned() -> None:
    for make in (lambda: mg.from_numpy(frozen(3)), lambda: mg.frombuffer(b"1234", dtype=mg.uint8)):
        with pytest.warns(UserWarning, match="not writable"):
            x = make()
        with pytest.raises(RuntimeError, match=WORDS):
            x[0] = 1


def test_a_write_by_numpy_into_a_tensor_is_noticed() -> None:
    x, factor = mg.ones(3, requires_grad=True), mg.ones(3)
    y = x * factor
    np.add(np.ones(3, np.float32), 1, out=factor)  # type: ignore[call-overload]
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation.*np\.add\(out=\)"):
        y.sum().backward()
