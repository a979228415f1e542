"""``minigrad.amp``: the scaling of gradients as PyTorch's, step by step; autocast, which says that it changes nothing."""

from __future__ import annotations

import math
import warnings
from typing import Any, Iterator

import numpy as np
import pytest

import minigrad as mg
from minigrad.amp import GradScaler, autocast


@pytest.fixture(autouse=True)
def untold() -> Iterator[None]:
    autocast.told = False
    yield
    autocast.told = False


def test_autocast_changes_nothing_and_says_so_once() -> None:
    x = mg.ones(2, 2)
    with pytest.warns(UserWarning, match=r"autocast\('cpu'\): operations keep the dtypes.*enabled=False") as caught:
        block = autocast("cpu")
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with block, mg.autocast("cpu", dtype=mg.float16):
            assert (x @ x).dtype is mg.float32 and not mg.is_autocast_enabled("cpu")
        autocast.told = False
        for quiet in (autocast("cpu", enabled=False), autocast("cuda", enabled=False), autocast("cpu", dtype=mg.float32)):
            with quiet as entered:
                assert entered is quiet
    with pytest.raises(ValueError, match="Expected `device_type` of type `str`"):
        autocast(3)
    with pytest.raises(RuntimeError, match="Expected one of .* device type at start of device string: foo"):
        autocast("foo")


def test_autocast_for_a_gpu_that_is_not_there_is_pytorchs_warning() -> None:
    if mg.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.warns(UserWarning, match="User provided device_type of 'cuda', but CUDA is not available. Disabling"):
        autocast("cuda", dtype=mg.float16)


def test_autocast_and_the_marks_of_functions_decorate() -> None:
    def double(x: Any) -> Any:
        return x * 2
    assert autocast("cpu", enabled=False)(double) is double
    assert mg.amp.custom_fwd(device_type="cuda", cast_inputs=mg.float32)(double) is double
    assert mg.amp.custom_bwd(double, device_type="cuda") is double


def test_strict_hints_refuse_autocast() -> None:
    mg.set_hints("strict")
    try:
        for _ in range(2):
            with pytest.raises(RuntimeError, match="operations keep the dtypes"):
                autocast("cpu")
    finally:
        mg.set_hints("warn")


# ---------------------------------------------------------------------------------------------------- scaling

def program(m: Any, scaler: Any, losses: list[float]) -> list[Any]:
    """Steps of SGD on sums times `losses`, one of which may be inf: what the parameters and the scaler become."""
    p = m.ones(2, dtype=m.float64, requires_grad=True)
    optimizer, seen = m.optim.SGD([p], lr=0.125), []
    for k, factor in enumerate(losses):
        optimizer.zero_grad()
        scaler.scale((p * p).sum() * factor).backward()
        if k % 2:
            scaler.unscale_(optimizer)
            seen.append(p.grad.tolist())
        scaler.step(optimizer)
        scaler.update()
        seen += [p.tolist(), scaler.get_scale(), scaler.state_dict()["_growth_tracker"]]
    return seen


LOSSES = [1.0, 0.5, math.inf, 1.0, 1.0, 1.0, math.nan, 0.25, 1.0]


def test_scaled_steps_are_the_steps_where_gradients_are_finite() -> None:
    scaler = GradScaler("cpu", init_scale=1024.0, growth_interval=3)
    seen = program(mg, scaler, LOSSES)
    plain = program(mg, GradScaler("cpu", init_scale=1.0, growth_interval=100), [x for x in LOSSES if math.isfinite(x)])
    assert seen[-3] == plain[-3]  # the last parameters
    assert scaler.get_scale() == 1024 / 2 * 2 / 2 and scaler.state_dict()["_growth_tracker"] == 2


@pytest.mark.parity
def test_scaling_is_pytorchs() -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    settings = {"init_scale": 1024.0, "growth_interval": 2, "growth_factor": 4.0, "backoff_factor": 0.25}
    ours, theirs = GradScaler("cpu", **settings), torch.amp.GradScaler("cpu", **settings)
    np.testing.assert_equal(program(mg, ours, LOSSES), program(torch, theirs, LOSSES))
    assert ours.state_dict() == theirs.state_dict()


def test_a_state_is_saved_and_loaded() -> None:
    scaler = GradScaler("cpu", init_scale=8.0, growth_interval=5)
    program(mg, scaler, LOSSES)
    other = GradScaler("cpu")
    other.load_state_dict(scaler.state_dict())
    assert other.state_dict() == scaler.state_dict() and other.get_growth_interval() == 5
    with pytest.raises(RuntimeError, match="saved from a disabled instance"):
        other.load_state_dict({})
    other.set_growth_factor(3.0)
    other.set_backoff_factor(0.1)
    other.set_growth_interval(7)
    assert (other.get_growth_factor(), other.get_backoff_factor(), other.get_growth_interval()) == (3.0, 0.1, 7)


def test_a_disabled_scaler_hands_everything_through() -> None:
    p = mg.ones(1, requires_grad=True)
    optimizer, scaler = mg.optim.SGD([p], lr=0.5), GradScaler("cpu", enabled=False)
    loss = p.sum()
    assert scaler.scale(loss) is loss and scaler.get_scale() == 1.0 and scaler.state_dict() == {} and not scaler.is_enabled()
    loss.backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert p.item() == 0.5
    if not mg.cuda.is_available():
        with pytest.warns(UserWarning, match="CUDA is not available. Disabling"):
            assert not mg.GradScaler().is_enabled()


def test_what_is_scaled_may_be_nested() -> None:
    scaler = GradScaler("cpu", init_scale=2.0)
    scaled = scaler.scale([mg.ones(1), (mg.ones(1, dtype=mg.float64),)])
    assert scaled[0].tolist() == [2.0] and scaled[1][0].dtype is mg.float64 and isinstance(scaled[1], tuple)
    assert [t.item() for t in scaler.scale(iter([mg.ones(1)]))] == [2.0]
    with pytest.raises(ValueError, match="outputs must be a Tensor or an iterable of Tensors, not int"):
        scaler.scale(3)


def test_steps_out_of_order_are_refused() -> None:
    p = mg.ones(1, requires_grad=True)
    optimizer, scaler = mg.optim.SGD([p], lr=0.5), GradScaler("cpu")
    for call in (lambda: scaler.step(optimizer), scaler.update, lambda: scaler.unscale_(optimizer)):
        with pytest.raises(AssertionError, match=r"before scale\(\)"):
            call()
    loss = scaler.scale(p.sum())
    with pytest.raises(AssertionError, match="none of its parameters has a gradient"):
        scaler.step(optimizer)
    scaler = GradScaler("cpu")
    loss = scaler.scale(p.sum())
    with pytest.raises(AssertionError, match="prior to update"):
        scaler.update()
    loss.backward()
    with pytest.raises(RuntimeError, match="Closure use is not currently supported"):
        scaler.step(optimizer, lambda: loss)
    scaler.unscale_(optimizer)
    with pytest.raises(RuntimeError, match=r"already been called on this optimizer since the last update\(\)"):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    with pytest.raises(RuntimeError, match=r"step\(\) has already been called since the last update"):
        scaler.step(optimizer)
    with pytest.raises(RuntimeError, match=r"unscale_\(\) is being called after step"):
        scaler.unscale_(optimizer)
    scaler.update(4.0)
    assert scaler.get_scale() == 4.0
    half = mg.ones(1, dtype=mg.float16, requires_grad=True)
    scaler.scale(half.sum()).backward()
    with pytest.raises(ValueError, match="Attempting to unscale FP16 gradients"):
        scaler.step(mg.optim.SGD([half], lr=0.5))
    with pytest.raises(AssertionError, match="growth factor must be > 1"):
        GradScaler("cpu", growth_factor=1.0)
