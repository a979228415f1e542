"""Optimizers against their recurrences, written here in NumPy; schedules against their formulas; state and hooks."""

from __future__ import annotations

import copy
import math
import pickle
import warnings
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.optim import lr_scheduler as schedules
from minigrad.optim import swa_utils
from minigrad.optim.optimizer import BLOCK, blocks
from minigrad.recording.graph import ledger
from tests import standin  # noqa: F401  (registers the device "standin")

STEPS = 12
Recurrence = Callable[[np.ndarray, Callable[[np.ndarray], np.ndarray]], np.ndarray]


def loss_gradient(x: np.ndarray) -> np.ndarray:
    """The gradient of a smooth function with a minimum away from 0, at any shape."""
    return np.tanh(x - 0.5) + 0.1 * x + 0.3 * np.sin(3 * x)


# ---------------------------------------------------------------------------------------------------- recurrences

def sgd(lr: float, momentum: float = 0, dampening: float = 0, wd: float = 0, nesterov: bool = False, sign: int = 1) -> Recurrence:
    def run(x: np.ndarray, grad: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        buf = None
        for _ in range(STEPS):
            g = sign * grad(x) + wd * x
            if momentum:
                buf = g if buf is None else momentum * buf + (1 - dampening) * g
                g = g + momentum * buf if nesterov else buf
            x = x - lr * g
        return x
    return run


def adam(lr: float = 1e-3, wd: float = 0, amsgrad: bool = False, decoupled: bool = False, sign: int = 1) -> Recurrence:
    def run(x: np.ndarray, grad: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        m = v = top = np.zeros_like(x)
        for t in range(1, STEPS + 1):
            g = sign * grad(x) + (0 if decoupled else wd * x)
            x = x * (1 - lr * wd) if decoupled else x
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            top = np.maximum(top, v)
            used = top if amsgrad else v
            x = x - lr * (m / (1 - 0.9**t)) / (np.sqrt(used / (1 - 0.999**t)) + 1e-8)
        return x
    return run


def adagrad(x: np.ndarray, grad: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    total = np.full_like(x, 0.1)
    for t in range(STEPS):
        g = grad(x)
        total = total + g * g
        x = x - 0.1 / (1 + t * 0.5) * g / (np.sqrt(total) + 1e-10)
    return x


def rmsprop(x: np.ndarray, grad: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    v = mean = buf = np.zeros_like(x)
    for _ in range(STEPS):
        g = grad(x)
        v, mean = 0.99 * v + 0.01 * g * g, 0.99 * mean + 0.01 * g
        buf = 0.5 * buf + g / (np.sqrt(v - mean**2) + 1e-8)
        x = x - 0.01 * buf
    return x


def adadelta(x: np.ndarray, grad: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    v = moved = np.zeros_like(x)
    for _ in range(STEPS):
        g = grad(x)
        v = 0.9 * v + 0.1 * g * g
        delta = np.sqrt(moved + 1e-6) / np.sqrt(v + 1e-6) * g
        moved = 0.9 * moved + 0.1 * delta**2
        x = x - delta
    return x


def adamax(x: np.ndarray, grad: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    m = u = np.zeros_like(x)
    for t in range(1, STEPS + 1):
        g = grad(x)
        m, u = 0.9 * m + 0.1 * g, np.maximum(0.999 * u, np.abs(g) + 1e-8)
        x = x - 2e-3 / (1 - 0.9**t) * m / u
    return x


def nadam(x: np.ndarray, grad: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    m = v = np.zeros_like(x)
    product = 1.0
    for t in range(1, STEPS + 1):
        g = grad(x)
        mu, later = [0.9 * (1 - 0.5 * 0.96 ** (s * 4e-3)) for s in (t, t + 1)]
        product *= mu
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        m_hat = later * m / (1 - product * later) + (1 - mu) * g / (1 - product)
        x = x - 2e-3 * m_hat / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return x


def radam(x: np.ndarray, grad: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    m = v = np.zeros_like(x)
    longest = 2 / (1 - 0.999) - 1
    for t in range(1, STEPS + 1):
        g = grad(x)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        length = longest - 2 * t * 0.999**t / (1 - 0.999**t)
        step = m / (1 - 0.9**t)
        if length > 5:
            r = math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
            step = step * r * math.sqrt(1 - 0.999**t) / (np.sqrt(v) + 1e-8)
        x = x - 1e-3 * step
    return x


def asgd(x: np.ndarray, grad: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    eta = 0.05
    for t in range(1, STEPS + 1):
        x = x * (1 - 0.1 * eta) - eta * grad(x)
        eta = 0.05 / (1 + 0.1 * 0.05 * t) ** 0.75
    return x


def rprop(x: np.ndarray, grad: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    before, size = np.zeros_like(x), np.full_like(x, 0.2)
    for _ in range(STEPS):
        g = grad(x)
        agreement = g * before
        size = np.clip(np.where(agreement > 0, size * 1.2, np.where(agreement < 0, size * 0.5, size)), 1e-6, 50)
        g = np.where(agreement < 0, 0, g)
        x = x - np.sign(g) * size
        before = g
    return x


def adafactor(x: np.ndarray, grad: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    row = col = None
    for t in range(1, STEPS + 1):
        g = grad(x)
        newest = t**-0.8
        r, c = (g * g).mean(1, keepdims=True), (g * g).mean(0, keepdims=True)
        row, col = (r, c) if row is None else (row + (r - row) * newest, col + (c - col) * newest)
        update = g / np.sqrt(row @ col / row.mean())
        rms = np.sqrt((update**2).mean())
        x = x - max(1e-3, np.sqrt((x**2).mean())) * min(0.01, t**-0.5) * update / max(1, rms)
    return x


CASES: dict[str, tuple[Callable[[Any], optim.Optimizer], Recurrence]] = {
    "sgd": (lambda p: optim.SGD(p, lr=0.1), sgd(0.1)),
    "sgd momentum": (lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.3), sgd(0.1, 0.9, 0.3)),
    "sgd nesterov": (lambda p: optim.SGD(p, 0.1, 0.9, nesterov=True, weight_decay=0.2), sgd(0.1, 0.9, wd=0.2, nesterov=True)),
    "sgd decay": (lambda p: optim.SGD(p, 0.1, weight_decay=0.2, maximize=True), sgd(0.1, wd=0.2, sign=-1)),
    "adam": (lambda p: optim.Adam(p), adam()),
    "adam lr": (lambda p: optim.Adam(p, lr=mg.tensor(0.1, dtype=mg.float64), weight_decay=0.2), adam(0.1, wd=0.2)),
    "adam amsgrad": (lambda p: optim.Adam(p, 0.1, amsgrad=True, maximize=True), adam(0.1, amsgrad=True, sign=-1)),
    "adamw": (lambda p: optim.AdamW(p, 0.1, weight_decay=0.3), adam(0.1, wd=0.3, decoupled=True)),
    "adagrad": (lambda p: optim.Adagrad(p, 0.1, lr_decay=0.5, initial_accumulator_value=0.1), adagrad),
    "rmsprop": (lambda p: optim.RMSprop(p, momentum=0.5, centered=True), rmsprop),
    "adadelta": (lambda p: optim.Adadelta(p), adadelta),
    "adamax": (lambda p: optim.Adamax(p), adamax),
    "nadam": (lambda p: optim.NAdam(p), nadam),
    "radam": (lambda p: optim.RAdam(p), radam),
    "asgd": (lambda p: optim.ASGD(p, 0.05, lambd=0.1), asgd),
    "rprop": (lambda p: optim.Rprop(p, 0.2), rprop),
    "adafactor": (lambda p: optim.Adafactor(p), adafactor),
}


def take_steps(opt: optim.Optimizer, p: Any, count: int) -> None:
    for _ in range(count):
        opt.zero_grad()
        p.grad = mg.tensor(loss_gradient(p.detach().numpy()))
        opt.step()


def exactness(name: str) -> float:
    """What may differ: as in PyTorch, some optimizers keep numbers as float32 between steps."""
    return 1e-7 if name in ("asgd", "nadam") else 1e-11


def start(shape: tuple[int, ...] = (3, 4)) -> np.ndarray:
    return np.random.RandomState(5).standard_normal(shape)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("shape", [(3, 4), (3, BLOCK // 2)], ids=["small", "in blocks"])
def test_steps_follow_the_recurrence(name: str, shape: tuple[int, ...]) -> None:
    make, recurrence = CASES[name]
    p = nn.Parameter(mg.tensor(start(shape)))
    take_steps(make([p]), p, STEPS)
    np.testing.assert_allclose(p.detach().numpy(), recurrence(start(shape), loss_gradient), rtol=1e-9, atol=exactness(name))


@pytest.mark.parametrize("name", CASES)
def test_saved_state_goes_on_as_if_nothing_had_happened(name: str) -> None:
    make, _ = CASES[name]
    p = nn.Parameter(mg.tensor(start()))
    opt = make([p])
    take_steps(opt, p, 5)
    state = pickle.loads(pickle.dumps(opt.state_dict()))
    twin = nn.Parameter(p.detach().clone())
    other = make([twin])
    other.load_state_dict(state)
    take_steps(opt, p, 5)
    take_steps(other, twin, 5)
    np.testing.assert_allclose(p.detach().numpy(), twin.detach().numpy(), rtol=1e-12, atol=exactness(name))
    copied = copy.deepcopy(opt)
    assert copied.param_groups[0]["params"][0] is not p and repr(copied) == repr(opt)


@pytest.mark.parametrize("name", [n for n in CASES if n not in ("adafactor", "asgd")])
def test_complex_parameters_are_pairs_of_real_ones(name: str) -> None:
    make, recurrence = CASES[name]
    z = start((2, 3)) + 1j * start((2, 3))[::-1]
    p = nn.Parameter(mg.tensor(z))
    opt = make([p])
    for _ in range(STEPS):
        x = p.detach().numpy()
        p.grad = mg.tensor(loss_gradient(x.real) + 1j * loss_gradient(x.imag))
        opt.step()
    np.testing.assert_allclose(p.detach().numpy().real, recurrence(z.real, loss_gradient), atol=exactness(name))
    np.testing.assert_allclose(p.detach().numpy().imag, recurrence(z.imag, loss_gradient), atol=exactness(name))


def test_blocks_cover_everything_once_and_are_views() -> None:
    x = np.zeros((3, BLOCK))
    y = x.copy()
    for a, b in blocks(x, y):
        a += 1
        b += a
    assert (x == 1).all() and (y == 1).all()
    turned = np.zeros((BLOCK, 3)).T
    assert [a.shape for a, in blocks(turned)] == [(3, BLOCK)]
    assert sum(a.size for a, in blocks(np.zeros((2, BLOCK), complex))) == 4 * BLOCK


def test_a_step_is_noted_as_a_write() -> None:
    p = nn.Parameter(mg.ones(2))
    loss = (p * p).sum()
    p.grad = mg.ones(2)
    optim.SGD([p], lr=0.1).step()
    assert ledger.find(p.array).op_name == "SGD.step"
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_lbfgs_finds_the_minimum_of_rosenbrocks_valley() -> None:
    for search in (None, "strong_wolfe"):
        p = mg.tensor([-1.2, 1.0], dtype=mg.float64, requires_grad=True)
        opt = optim.LBFGS([p], lr=0.5 if search is None else 1, max_iter=100, line_search_fn=search)

        def closure(p: Any = p, opt: Any = opt) -> Any:
            opt.zero_grad()
            loss = (1 - p[0]) ** 2 + 5 * (p[1] - p[0] ** 2) ** 2
            loss.backward()
            return loss

        first = opt.step(closure)
        assert abs(float(first) - 5.808) < 1e-9
        opt.step(closure)
        np.testing.assert_allclose(p.detach().numpy(), [1, 1], atol=1e-4)
        state = opt.state_dict()["state"][0]
        assert {"func_evals", "n_iter", "d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad",
                "prev_loss"} <= set(state)
        copy.deepcopy(opt).load_state_dict(opt.state_dict())
    with pytest.raises(ValueError, match="parameter groups"):
        optim.LBFGS([{"params": [mg.ones(1)]}, {"params": [mg.ones(2)]}])
    with pytest.raises(RuntimeError, match="strong_wolfe"):
        optim.LBFGS([p], line_search_fn="other")


def test_muon_steps_are_nearly_orthogonal() -> None:
    p = nn.Parameter(mg.zeros(6, 3, dtype=mg.float64))
    p.grad = mg.tensor(start((6, 3)))
    optim.Muon([p], lr=1.0, weight_decay=0).step()
    values = np.linalg.svd(p.detach().numpy(), compute_uv=False) / math.sqrt(2)
    assert ((values > 0.6) & (values < 1.3)).all()
    with pytest.raises(ValueError, match="only supports 2D parameters"):
        optim.Muon([mg.ones(3)])


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adagrad", "RMSprop", "Adadelta", "ASGD",
                                  "Rprop", "Adafactor", "LBFGS", "Muon"])
def test_another_array_library_gives_the_same_steps(name: str) -> None:
    special: dict[str, Any] = {"SGD": {"momentum": 0.9}, "RMSprop": {"centered": True}, "AdamW": {"amsgrad": True}}
    settings = special.get(name, {})

    def trained(device: str) -> Any:
        mg.manual_seed(0)
        net = nn.Sequential(nn.Linear(3, 4, bias=name != "Muon"), nn.Tanh(), nn.Linear(4, 2, bias=name != "Muon"))
        net = net.to(device, mg.float64)
        x, y = mg.randn(5, 3).to(device, mg.float64), mg.tensor([0, 1, 0, 1, 1]).to(device)
        opt = getattr(optim, name)(net.parameters(), **settings)

        def closure() -> Any:
            opt.zero_grad()
            loss = nn.CrossEntropyLoss()(net(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            return loss

        for _ in range(3):
            opt.step(closure)
        opt.load_state_dict(opt.state_dict())
        opt.step(closure)
        assert str(net[0].weight.device) == device
        return nn.utils.parameters_to_vector(net.parameters()).detach().cpu().numpy()

    np.testing.assert_allclose(trained("standin:1"), trained("cpu"), rtol=1e-6, atol=1e-9)


# ---------------------------------------------------------------------------------------------------- the base

def test_groups_have_their_own_settings() -> None:
    a, b, c = (nn.Parameter(mg.ones(2)) for _ in range(3))
    opt = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1)
    opt.add_param_group({"params": [c], "lr": 1.0})
    for p in (a, b, c):
        p.grad = mg.ones(2)
    opt.step()
    assert [round(float(p[0]), 6) for p in (a, b, c)] == [0.9, 0.5, 0.0]
    assert [g["params"] for g in opt.state_dict()["param_groups"]] == [[0], [1], [2]]
    assert repr(optim.SGD([a], lr=0.1)) == (
        "SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: False\n    foreach: None\n    fused: None\n    lr: 0.1\n"
        "    maximize: False\n    momentum: 0\n    nesterov: False\n    weight_decay: 0\n)")
    named = optim.SGD(nn.Linear(1, 1).named_parameters(), lr=0.1)
    assert named.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]


def test_what_an_optimizer_refuses() -> None:
    p = nn.Parameter(mg.ones(1))
    with pytest.raises(ValueError, match="optimizer got an empty parameter list"):
        optim.SGD([], lr=0.1)
    with pytest.raises(TypeError, match="iterable of Tensors or dicts"):
        optim.SGD(p, lr=0.1)
    with pytest.raises(TypeError, match="can only optimize Tensors, but one of the params is int"):
        optim.SGD([3], lr=0.1)
    with pytest.raises(ValueError, match="can't optimize a non-leaf Tensor"):
        optim.SGD([p * 2], lr=0.1)
    with pytest.raises(TypeError, match="ordered collections"):
        optim.SGD([{"params": {p}}], lr=0.1)
    with pytest.raises(ValueError, match="appear in more than one parameter group"):
        optim.SGD([{"params": [p]}, {"params": [p]}], lr=0.1)
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optim.SGD([p, p], lr=0.1)
    for make, text in ((lambda: optim.SGD([p], lr=-1), "Invalid learning rate: -1"),
                       (lambda: optim.SGD([p], momentum=-1), "Invalid momentum value: -1"),
                       (lambda: optim.SGD([p], nesterov=True), "Nesterov momentum requires a momentum and zero dampening"),
                       (lambda: optim.Adam([p], betas=(1.0, 0.9)), "Invalid beta parameter at index 0: 1.0"),
                       (lambda: optim.Adam([p], eps=-1.0), "Invalid epsilon value: -1.0"),
                       (lambda: optim.Adafactor([p], d=0.5), "Clipping threshold d should be >= 1 but is: 0.5"),
                       (lambda: optim.Rprop([p], etas=(2, 3)), "Invalid eta values: 2, 3")):
        with pytest.raises(ValueError, match=text):
            make()
    with pytest.raises(TypeError, match="param_group must be a dict"):
        optim.SGD([p]).add_param_group([p])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="different number of parameter groups"):
        optim.SGD([p]).load_state_dict({"state": {}, "param_groups": []})
    with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
        optim.SGD([p]).load_state_dict({"state": {}, "param_groups": [{"params": [0, 1]}]})
    p.grad = mg.ones(1)
    with pytest.raises(NotImplementedError, match=r"neither step\(\) nor update\(\)"):
        optim.Optimizer([p], {}).step()


def test_zero_grad_and_a_step_without_gradients() -> None:
    p = nn.Parameter(mg.ones(2))
    opt = optim.Adam([p])
    with pytest.warns(UserWarning, match=r"Adam.step\(\): no parameter has a gradient"):
        opt.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opt.step()  # warns once
    assert not opt.state and p.tolist() == [1, 1]
    p.grad = mg.ones(2)
    opt.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0, 0]
    opt.zero_grad()
    assert p.grad is None


def test_closures_are_recorded_and_their_loss_returned() -> None:
    p = nn.Parameter(mg.tensor([3.0]))
    opt = optim.SGD([p], lr=0.1)

    def closure() -> Any:
        opt.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with mg.no_grad():
        assert float(opt.step(closure)) == 9
    assert float(p) == pytest.approx(2.4)


def test_hooks_around_the_step_also_of_a_users_optimizer() -> None:
    class Mine(optim.Optimizer):
        def __init__(self, params: Any) -> None:
            super().__init__(params, {"lr": 0.1})

        def step(self, closure: Any = None) -> Any:
            for p in self.param_groups[0]["params"]:
                p.data.add_(p.grad, alpha=-1)

    log: list[Any] = []
    for make in (lambda p: optim.SGD([p]), lambda p: Mine([p])):
        p = nn.Parameter(mg.ones(1))
        p.grad = mg.ones(1)
        opt = make(p)
        log.clear()
        opt.register_step_pre_hook(lambda o, args, kwargs: log.append("pre"))
        opt.register_step_post_hook(lambda o, args, kwargs: log.append("post"))
        with optim.optimizer.register_optimizer_step_post_hook(lambda o, args, kwargs: log.append("everywhere")):
            opt.step()
        assert log == ["pre", "post", "everywhere"]
    opt = optim.SGD([p])
    opt.register_state_dict_pre_hook(lambda o: log.append("state"))
    opt.register_state_dict_post_hook(lambda o, state: {**state, "extra": 1})
    opt.register_load_state_dict_pre_hook(lambda o, state: log.append(state["extra"]))
    opt.register_load_state_dict_post_hook(lambda o: log.append("loaded"))
    opt.load_state_dict(opt.state_dict())
    assert log[-3:] == ["state", 1, "loaded"]


# ---------------------------------------------------------------------------------------------------- schedules

def optimizer(lr: float = 1.0, **settings: Any) -> optim.Optimizer:
    p = nn.Parameter(mg.ones(1))
    p.grad = mg.zeros(1)
    return optim.SGD([p], lr=lr, **settings)


def rates(make: Callable[[Any], Any], count: int, opt: Any = None) -> list[float]:
    opt = optimizer() if opt is None else opt
    s = make(opt)
    found = []
    for _ in range(count):
        found.append(float(opt.param_groups[0]["lr"]))
        assert [float(x) for x in s.get_last_lr()] == found[-1:]
        opt.step()
        s.step()
    return found


FORMULAS: dict[str, tuple[Callable[[Any], Any], Callable[[int], float]]] = {
    "lambda": (lambda o: schedules.LambdaLR(o, lambda e: 1 / (1 + e)), lambda e: 1 / (1 + e)),
    "multiplicative": (lambda o: schedules.MultiplicativeLR(o, lambda e: 0.5), lambda e: 0.5**e),
    "step": (lambda o: schedules.StepLR(o, 3, 0.5), lambda e: 0.5 ** (e // 3)),
    "multi step": (lambda o: schedules.MultiStepLR(o, [2, 4, 4], 0.5), lambda e: 0.5 ** ((e >= 2) + 2 * (e >= 4))),
    "constant": (lambda o: schedules.ConstantLR(o, 0.5, 4), lambda e: 0.5 if e < 4 else 1),
    "linear": (lambda o: schedules.LinearLR(o, 0.2, 0.8, 5), lambda e: 0.2 + 0.6 * min(e, 5) / 5),
    "exponential": (lambda o: schedules.ExponentialLR(o, 0.8), lambda e: 0.8**e),
    "polynomial": (lambda o: schedules.PolynomialLR(o, 6, 2.0), lambda e: (1 - min(e, 6) / 6) ** 2),
    "cosine": (lambda o: schedules.CosineAnnealingLR(o, 4, 0.1), lambda e: 0.1 + 0.9 * (1 + math.cos(math.pi * e / 4)) / 2),
    "restarts": (lambda o: schedules.CosineAnnealingWarmRestarts(o, 3), lambda e: (1 + math.cos(math.pi * (e % 3) / 3)) / 2),
    "chained": (lambda o: schedules.ChainedScheduler([schedules.ExponentialLR(o, 0.5), schedules.StepLR(o, 2, 0.1)]),
                lambda e: 0.5**e * 0.1 ** (e // 2)),
    "sequential": (lambda o: schedules.SequentialLR(o, [schedules.ConstantLR(o, 0.1, 10), schedules.ExponentialLR(o, 0.5)], [3]),
                   lambda e: 0.1 if e < 3 else 0.5 ** (e - 3)),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_rates_follow_the_formula(name: str) -> None:
    make, formula = FORMULAS[name]
    np.testing.assert_allclose(rates(make, 10), [formula(e) for e in range(10)], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_restored_schedule_goes_on(name: str) -> None:
    make, formula = FORMULAS[name]
    opt = optimizer()
    s = make(opt)
    for _ in range(4):
        opt.step()
        s.step()
    state, opt_state = copy.deepcopy(s.state_dict()), opt.state_dict()
    opt = optimizer()
    s = make(opt)
    opt.load_state_dict(opt_state)
    s.load_state_dict(state)
    opt.step()
    s.step()
    assert opt.param_groups[0]["lr"] == pytest.approx(formula(5), abs=1e-12)


def test_cycles_move_the_momentum_against_the_rate() -> None:
    opt = optimizer(momentum=0.9)
    s = schedules.CyclicLR(opt, 0.1, 1.1, step_size_up=2)
    seen = []
    for _ in range(5):
        seen.append((round(opt.param_groups[0]["lr"], 6), round(opt.param_groups[0]["momentum"], 6)))
        opt.step()
        s.step()
    assert seen == [(0.1, 0.9), (0.6, 0.85), (1.1, 0.8), (0.6, 0.85), (0.1, 0.9)]
    opt = optim.Adam([nn.Parameter(mg.ones(1))])
    s = schedules.OneCycleLR(opt, 1.0, total_steps=10)
    assert opt.param_groups[0]["lr"] == pytest.approx(1 / 25) and opt.param_groups[0]["betas"][0] == 0.95
    opt._stepped = True
    for _ in range(2):
        s.step()
    assert opt.param_groups[0]["lr"] == pytest.approx(1.0)
    for _ in range(7):
        s.step()
    assert opt.param_groups[0]["lr"] == pytest.approx(1 / 25e4)
    s.step()
    with pytest.raises(ValueError, match="Tried to step 11 times"):
        s.step()
    with pytest.raises(ValueError, match="must support momentum or beta1"):
        schedules.CyclicLR(optim.Adagrad([nn.Parameter(mg.ones(1))]), 0.1, 1.0)


def test_a_plateau_reduces_the_rate() -> None:
    opt = optimizer()
    s = schedules.ReduceLROnPlateau(opt, factor=0.5, patience=1, cooldown=1, min_lr=0.2)
    seen = []
    for metric in (1.0, 0.5, mg.tensor(0.5), 0.5, 0.5, 0.5, 0.5, 0.5, 0.5):
        s.step(metric)
        seen.append(opt.param_groups[0]["lr"])
    assert seen == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]
    other = schedules.ReduceLROnPlateau(optimizer(), mode="max")
    other.load_state_dict(s.state_dict())
    assert other.mode == "min" and other.best == 0.5
    for bad in ({"factor": 1.0}, {"mode": "x"}, {"threshold_mode": "x"}, {"min_lr": [1, 2]}):
        with pytest.raises(ValueError, match=r"."):
            schedules.ReduceLROnPlateau(opt, **bad)


def test_schedules_warn_and_refuse() -> None:
    opt = optimizer()
    s = schedules.ExponentialLR(opt, 0.5)
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        s.step()
    with pytest.warns(UserWarning, match="get_last_lr"):
        s.get_lr()
    with pytest.raises(TypeError, match="int is not an Optimizer"):
        schedules.StepLR(3, 1)  # type: ignore[arg-type]
    with pytest.raises(KeyError, match="initial_lr"):
        schedules.StepLR(optimizer(), 1, last_epoch=3)
    with pytest.raises(ValueError, match="Expected 1 lr_lambdas, but got 2"):
        schedules.LambdaLR(opt, [abs, abs])
    with pytest.raises(ValueError, match="one more than the number of milestone"):
        schedules.SequentialLR(opt, [s], [1])
    with pytest.raises(ValueError, match="same optimizer"):
        schedules.ChainedScheduler([s, schedules.StepLR(optimizer(), 1)])
    rate = mg.tensor(1.0)
    opt = optim.SGD([nn.Parameter(mg.ones(1))], lr=rate)
    opt._stepped = True
    schedules.ExponentialLR(opt, 0.5).step()
    assert opt.param_groups[0]["lr"] is rate and float(rate) == 0.5


def test_averaged_models() -> None:
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
    average = swa_utils.AveragedModel(model)
    ema = swa_utils.AveragedModel(model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.5))
    for value in (1.0, 2.0, 6.0):
        with mg.no_grad():
            model[0].weight.fill_(value)
        average.update_parameters(model)
        ema.update_parameters(model)
    assert float(average.module[0].weight) == 3 and float(ema.module[0].weight) == 3.75 and int(average.n_averaged) == 3
    data = [mg.tensor([[1.0], [3.0]]), mg.tensor([[5.0], [7.0]])]
    swa_utils.update_bn(data, average)
    assert float(average.module[1].running_mean) == pytest.approx(12) and average.module[1].momentum == 0.1
    assert tuple(average(mg.ones(2, 1)).shape) == (2, 1)
    linear = rates(lambda o: swa_utils.SWALR(o, 0.2, anneal_epochs=4, anneal_strategy="linear"), 6)
    np.testing.assert_allclose(linear, [1, 0.8, 0.6, 0.4, 0.2, 0.2])
