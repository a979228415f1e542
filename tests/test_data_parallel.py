"""One module on several stand-in GPUs: the same results and gradients as the module alone."""

from __future__ import annotations

import copy
from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import parallel
from tests import fake_cuda, standin  # noqa: F401  (registers the device "standin")

GPUS = ["standin:0", "standin:1", "standin:2"]
Pair = namedtuple("Pair", ["a", "b"])


def network() -> Any:
    mg.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)).double()


def batch(n: int) -> Any:
    return mg.arange(4.0 * n, dtype=mg.float64).reshape(n, 4).sin()


@pytest.mark.parametrize("n", [1, 2, 3, 7, 12])
@pytest.mark.parametrize("gpus", [GPUS[:1], GPUS[:2], GPUS])
def test_as_the_module_alone(n: int, gpus: list[str]) -> None:
    alone = network()
    x = batch(n).requires_grad_()
    (alone(x) ** 2).sum().backward()
    module = network().to("standin")
    several = nn.DataParallel(module, gpus)
    y = batch(n).to("standin").requires_grad_()
    with fake_cuda.nothing_changes():
        out = several(y)
        assert str(out.device) == "standin:0" and out.shape == (n, 3)
        (out ** 2).sum().backward()
    np.testing.assert_allclose(out.detach().cpu().numpy(), alone(x).detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(y.grad.cpu().numpy(), x.grad.numpy(), rtol=1e-12)
    for p, q in zip(module.parameters(), alone.parameters()):
        assert str(p.grad.device) == "standin:0"
        np.testing.assert_allclose(p.grad.cpu().numpy(), q.grad.numpy(), rtol=1e-12)


def test_training_goes_the_same_way() -> None:
    losses = []
    for wrap in (lambda m: m, lambda m: nn.DataParallel(m.to("standin"), GPUS)):
        model = wrap(network())
        device = next(model.parameters()).device
        optimizer = mg.optim.Adam(model.parameters(), lr=0.05)
        x, y = batch(8).to(device), mg.arange(8, device=device) % 3
        for _ in range(5):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    assert losses[1] == pytest.approx(losses[0], rel=1e-10)


def test_the_output_can_go_elsewhere() -> None:
    several = nn.DataParallel(network().to("standin"), GPUS[:2], output_device="standin:2")
    assert str(several(batch(4).to("standin")).device) == "standin:2"


def test_names_of_parameters() -> None:
    module = network()
    assert list(nn.DataParallel(module).state_dict()) == [f"module.{name}" for name in module.state_dict()]


@standin.of_itself
def test_without_gpus_it_is_the_module() -> None:
    module = network()
    several = nn.DataParallel(module)
    assert several.device_ids == [] and (several(batch(3)) == module(batch(3))).all()
    assert (nn.parallel.data_parallel(module, batch(3)) == module(batch(3))).all()


def test_one_gpu_takes_the_module() -> None:
    several = nn.DataParallel(network(), ["standin:1"])
    assert {str(p.device) for p in several.parameters()} == {"standin:1"}


class Buffers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(4).double()
        self.register_buffer("calls", mg.zeros(1))
        self.register_buffer("table", mg.arange(4.0))

    def forward(self, x: Any, *, scale: float = 1.0, shift: Any = None) -> Any:
        self.calls += 1
        out = self.norm(x) * scale + self.table
        return out if shift is None else out + shift


def test_buffers_are_kept_from_the_first_gpu() -> None:
    module = Buffers().to("standin")
    alone = Buffers()
    several = nn.DataParallel(module, GPUS[:2])
    x = batch(6)
    several(x.to("standin"))
    alone(x[:3])
    assert module.calls.tolist() == [1.0] and module.norm.num_batches_tracked.item() == 1
    np.testing.assert_allclose(module.norm.running_mean.cpu().numpy(), alone.norm.running_mean.numpy(), rtol=1e-12)


def test_named_arguments_are_cut_too() -> None:
    module = Buffers().eval()
    x, shift = batch(5), batch(5) * 2
    want = module(x, scale=3.0, shift=shift)
    several = nn.DataParallel(copy.deepcopy(module).to("standin"), GPUS)
    got = several(x.to("standin"), scale=3.0, shift=shift.to("standin"))
    np.testing.assert_allclose(got.detach().cpu().numpy(), want.detach().numpy(), rtol=1e-12)
    only_named = several(x=x.to("standin"), scale=3.0, shift=shift.to("standin"))
    assert only_named.tolist() == got.tolist()


class Nested(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(4, 2).double()
        self.again = self.inner
        self.sizes: list[int] = []

    def forward(self, pair: Any, words: Any) -> Any:
        h = self.again(self.inner(pair.a) @ mg.ones(2, 4, dtype=mg.float64, device=pair.a.device)) + pair.b["bias"]
        return {"out": (h, [h.sum()]), "count": Pair(h.sum(), None), "integers": mg.arange(len(h), device=h.device)}


def test_nested_inputs_and_outputs() -> None:
    module = Nested()
    x, bias = batch(4), mg.ones(4, 2, dtype=mg.float64)
    want = module(Pair(x, {"bias": bias}), "words")
    several = nn.DataParallel(copy.deepcopy(module).to("standin"), GPUS[:2])
    with pytest.warns(UserWarning, match="will instead unsqueeze and return a vector"):
        got = several(Pair(x.to("standin"), {"bias": bias.to("standin")}), "words")
    np.testing.assert_allclose(got["out"][0].detach().cpu().numpy(), want["out"][0].detach().numpy(), rtol=1e-12)
    assert got["count"].a.shape == (2,) and got["count"].b is None and got["integers"].tolist() == [0, 1, 0, 1]
    assert got["count"].a.sum().item() == pytest.approx(want["count"].a.item())
    got["count"].a.sum().backward()
    want["count"].a.backward()
    np.testing.assert_allclose(several.module.inner.weight.grad.cpu().numpy(), module.inner.weight.grad.numpy(), rtol=1e-12)


class Failing(nn.Module):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.weight, self.error = nn.Parameter(mg.ones(1)), error

    def forward(self, x: Any) -> Any:
        if str(x.device) == "standin:1":
            raise self.error
        return x * self.weight


class Odd(Exception):
    def __init__(self, a: int, b: int) -> None:
        super().__init__(a, b)


@pytest.mark.parametrize(("error", "kind"), [
    (ValueError("too warm"), ValueError), (KeyError("k"), KeyError), (Odd(1, 2), RuntimeError)])
def test_exceptions_name_the_replica_and_its_device(error: Exception, kind: type[Exception]) -> None:
    several = nn.DataParallel(Failing(error).to("standin"), GPUS)
    with pytest.raises(kind, match=f"Caught {type(error).__name__} in replica 1 on device standin:1") as caught:
        several(mg.ones(6, device="standin"))
    assert caught.value.__cause__ is error


def test_the_module_must_be_on_the_first_gpu() -> None:
    several = nn.DataParallel(network(), GPUS)
    with pytest.raises(RuntimeError, match=r"on device standin:0 \(device_ids\[0\]\) but found.*cpu.*module.to"):
        several(batch(2))


def test_the_gradient_mode_reaches_the_replicas() -> None:
    several = nn.DataParallel(network().to("standin"), GPUS)
    x = batch(6).to("standin")
    with mg.no_grad():
        assert not several(x).requires_grad
    assert several(x).requires_grad
    several.module.requires_grad_(False)
    assert not several(x).requires_grad


def test_a_graph_can_be_kept() -> None:
    several = nn.DataParallel(network().to("standin"), GPUS)
    out = several(batch(6).to("standin")).sum()
    out.backward(retain_graph=True)
    once = [p.grad.tolist() for p in several.parameters()]
    out.backward()
    assert [(p.grad / 2).tolist() for p in several.parameters()] == once


@pytest.mark.parametrize("gpus", [GPUS, GPUS[:2], GPUS[::-1], GPUS[1:]])
def test_second_derivatives_are_those_of_the_module_alone(gpus: list[str]) -> None:
    """A penalty on the gradient, as of a critic: it is differentiated by the input and by all parameters."""
    def derivatives(module: Any, model: Any, x: Any) -> list[Any]:
        x = x.detach().requires_grad_()
        loss = (model(x) ** 2).sum()
        by_input, *by_parameters = mg.autograd.grad(loss, [x, *module.parameters()], create_graph=True)
        (((by_input ** 2).sum(1) + 1e-3).sqrt().mean() + sum((g ** 2).sum() for g in by_parameters)).backward()
        found = [by_input, *by_parameters, x.grad, *[p.grad for p in module.parameters()]]
        assert {str(t.device) for t in found} == {str(x.device)}
        return [t.detach().cpu().numpy() for t in found]
    module, x = network(), batch(7)
    want = derivatives(module, module, x)
    there = copy.deepcopy(module).to(gpus[0])
    there.zero_grad()
    with fake_cuda.nothing_changes():
        found = derivatives(there, nn.DataParallel(there, gpus), x.to(gpus[0]))
    for a, b in zip(found, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_scatter_and_gather() -> None:
    x = mg.arange(5.0).requires_grad_()
    parts = parallel.scatter((x, "s", [1], {}), GPUS)
    assert [p[0].tolist() for p in parts] == [[0.0, 1.0], [2.0, 3.0], [4.0]] and [str(p[0].device) for p in parts] == GPUS
    assert [p[1:] for p in parts] == [("s", [1], {})] * 3
    back = parallel.gather([p[0] for p in parts], "cpu")
    assert back.is_cpu and back.tolist() == x.tolist()
    (back * mg.arange(5.0)).sum().backward()
    assert x.grad.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert parallel.scatter_kwargs((), {"a": 1}, GPUS[:2]) == (((), ()), ({"a": 1}, {"a": 1}))
    assert parallel.scatter(mg.ones(2, 4), GPUS[:2], dim=1)[1].shape == (2, 2)
    with pytest.raises(TypeError, match="one returned str"):
        parallel.gather(["a", "b"], "cpu")
    with pytest.raises(ValueError, match="same number of keys"):
        parallel.gather([{"a": x}, {}], "cpu")


def test_replicas_share_nothing_but_gradients() -> None:
    module = Nested().to("standin")
    first, second = parallel.replicate(module, GPUS[:2])
    assert first is not module and second.inner is second.again and second.inner is not module.inner
    assert str(second.inner.weight.device) == "standin:1" and second.inner.weight.grad_fn is not None
    assert all(p.grad_fn is None for p in parallel.replicate(module, GPUS[1:], detach=True)[0].inner._parameters.values())
    assert list(module.parameters())[0].is_leaf


def test_parallel_apply_by_itself() -> None:
    modules = [nn.Linear(2, 2).to(gpu) for gpu in GPUS]
    outs = parallel.parallel_apply(modules, [mg.ones(1, 2, device=gpu) for gpu in GPUS])
    assert [str(o.device) for o in outs] == GPUS
    with pytest.raises(AssertionError, match="number of modules 3 is not equal to the number of inputs 1"):
        parallel.parallel_apply(modules, [mg.ones(1, 2)])
