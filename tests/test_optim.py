"""Optimizers in blocks, on complex numbers and on a device; groups, hooks and averaged models; what schedules refuse."""

from __future__ import annotations

import copy
import itertools
import math
import warnings
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.optim import lr_scheduler as schedules
from minigrad.optim import swa_utils
from minigrad.optim.blocks import BLOCK, blocks
from minigrad.recording.graph import ledger
from tests import standin  # noqa: F401  (registers the device "standin")
from tests.optimizer_cases import CASES, gradient


def start(shape: tuple[int, ...] = (3, 4)) -> np.ndarray:
    return np.random.RandomState(5).standard_normal(shape)


RULED = [name for name, case in CASES.items() if not case.closure]


@pytest.mark.parametrize("name", [n for n in RULED if n != "Muon"])
def test_large_parameters_are_stepped_in_blocks(name: str) -> None:
    """Which ends within a row, so that a block is no whole number of rows."""
    case, settings = CASES[name], CASES[name].settings[-1]
    x = start((3, BLOCK // 2))
    p = nn.Parameter(mg.tensor(x))
    opt = getattr(optim, name)([p], **settings)
    for expected in itertools.islice(case.rule(x, gradient, **settings), 4):
        p.grad = mg.tensor(gradient(p.detach().numpy()))
        opt.step()
        np.testing.assert_allclose(p.detach().numpy(), expected, rtol=1e-9, atol=case.exactness)


@pytest.mark.parametrize("name", [n for n in RULED if n not in ("Adafactor", "ASGD", "Muon")])
@pytest.mark.parametrize("k", range(2))
def test_complex_parameters_are_pairs_of_real_ones(name: str, k: int) -> None:
    case, settings = CASES[name], CASES[name].settings[k]
    z = start((2, 3)) + 1j * start((2, 3))[::-1]
    p = nn.Parameter(mg.tensor(z))
    opt = getattr(optim, name)([p], **settings)
    for real, imag in itertools.islice(zip(*[case.rule(part, gradient, **settings) for part in (z.real, z.imag)]), 8):
        x = p.detach().numpy()
        p.grad = mg.tensor(gradient(x.real) + 1j * gradient(x.imag))
        opt.step()
        np.testing.assert_allclose(p.detach().numpy(), real + 1j * imag, rtol=1e-9, atol=case.exactness)


def test_a_rate_may_be_a_tensor() -> None:
    p = nn.Parameter(mg.tensor(start()))
    opt = optim.Adam([p], lr=mg.tensor(0.1, dtype=mg.float64), weight_decay=0.2)
    for expected in itertools.islice(CASES["Adam"].rule(start(), gradient, lr=0.1, weight_decay=0.2), 4):
        p.grad = mg.tensor(gradient(p.detach().numpy()))
        opt.step()
        np.testing.assert_allclose(p.detach().numpy(), expected, rtol=1e-9)


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


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.Adadelta, optim.LBFGS, optim.Rprop, optim.Adafactor])
def test_a_learning_rate_is_one_number(kind: Any) -> None:
    with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
        kind([nn.Parameter(mg.ones(2))], lr=mg.ones(2))


def test_names_of_parameters_survive_loading() -> None:
    layer = nn.Linear(1, 1)
    named, plain = optim.SGD(layer.named_parameters()), optim.SGD(layer.parameters())
    others = optim.SGD([("w", layer.weight), ("b", layer.bias)])
    others.load_state_dict(named.state_dict())
    assert others.param_groups[0]["param_names"] == ["w", "b"]
    named.load_state_dict(plain.state_dict())
    plain.load_state_dict(named.state_dict())
    assert plain.param_groups[0]["param_names"] == named.param_groups[0]["param_names"] == ["weight", "bias"]


def test_differentiable_optimizers_take_what_is_computed() -> None:
    p = mg.ones(2, requires_grad=True) * 2
    with pytest.raises(ValueError, match="non-leaf"):
        optim.SGD([p], lr=0.1)
    assert optim.SGD([p], lr=0.1, differentiable=True).param_groups[0]["params"][0] is p


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


@pytest.mark.parametrize("function", ["ema", "swa"])
def test_averages_over_arrays_are_those_over_tensors(function: str) -> None:
    """Of every dtype, layout and device; the average is written where it is."""
    values = [start(), start((BLOCK // 3, 4)).astype(np.float32), start().T, np.arange(4), start().astype(np.float16),
              start() + 1j]
    here = [mg.tensor(x) for x in values] + [mg.tensor(start()).to("standin:1"), mg.zeros(2, 2)]
    there = [t.cpu() * 3 for t in here[:-2]] + [here[-2] * 3, mg.ones(2, 2, dtype=mg.float64)]
    expected = [t.clone() for t in here]
    average, one = [getattr(swa_utils, f"get_{function}_{kind}")() for kind in ("multi_avg_fn", "avg_fn")]
    square = (here[0].requires_grad_() ** 2).sum()
    average(here, there, mg.tensor(2))
    for t, current, wanted in zip(here, there, expected):
        wanted.copy_(one(wanted, current, mg.tensor(2)))
        np.testing.assert_allclose(t.detach().cpu().numpy(), wanted.cpu().numpy(), rtol=1e-6, atol=1e-6)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        square.backward()


def test_nothing_is_written_where_one_gradient_must_not_be() -> None:
    a, b = nn.Parameter(mg.ones(2)), nn.Parameter(mg.ones(2))
    a.grad, b.grad = mg.ones(2), mg.ones(2)
    b.grad.array.flags.writeable = False
    for call in (lambda: nn.utils.clip_grad_value_([a, b], 0.5), lambda: nn.utils.clip_grad_norm_([a, b], 0.5),
                 lambda: optim.SGD([a, b]).zero_grad(set_to_none=False)):
        with pytest.raises(RuntimeError, match="read-only"):
            call()
        assert a.grad.tolist() == [1, 1]


def test_states_that_an_older_version_wrote_are_taken() -> None:
    """A setting that was not there then has its default."""
    for make in (mg.optim.Adam, mg.optim.AdamW, mg.optim.SGD, mg.optim.RMSprop, mg.optim.Adagrad, mg.optim.Rprop):
        p = mg.ones(2, requires_grad=True)
        old = make([p], lr=0.5).state_dict()
        for name in ("maximize", "foreach", "capturable", "differentiable", "fused", "nesterov", "amsgrad"):
            old["param_groups"][0].pop(name, None)
        optimizer = make([p], lr=0.1)
        optimizer.load_state_dict(old)
        p.grad = mg.ones(2)
        optimizer.step()
        assert optimizer.param_groups[0]["lr"] == 0.5 and p[0].item() < 1
