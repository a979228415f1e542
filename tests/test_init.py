"""Initial values: the distributions, the special matrices, and what layers start from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import init


def values(t: Any) -> np.ndarray:
    return t.detach().numpy()


def check_uniform(x: np.ndarray, bound: float) -> None:
    """As many draws as there are here fill the whole interval, evenly."""
    assert x.size > 500
    assert np.abs(x).max() <= bound and x.max() > 0.98 * bound and x.min() < -0.98 * bound
    assert abs(x.mean()) < 5 * bound / math.sqrt(3 * x.size)
    assert x.std() == pytest.approx(bound / math.sqrt(3), rel=0.1)


def check_normal(x: np.ndarray, std: float) -> None:
    assert abs(x.mean()) < 5 * std / math.sqrt(x.size)
    assert x.std() == pytest.approx(std, rel=0.1)
    assert ((np.abs(x) < std).mean()) == pytest.approx(0.6827, abs=0.05)


def test_gains() -> None:
    assert [init.calculate_gain(n) for n in ("linear", "conv_transpose2d", "sigmoid", "tanh", "relu", "selu", "leaky_relu")] == [
        1, 1, 1, 5 / 3, math.sqrt(2), 0.75, math.sqrt(2 / (1 + 0.01**2))]
    assert init.calculate_gain("leaky_relu", 1) == 1
    with pytest.raises(ValueError, match="Unsupported nonlinearity gelu"):
        init.calculate_gain("gelu")
    with pytest.raises(ValueError, match="negative_slope True not a valid number"):
        init.calculate_gain("leaky_relu", True)


def test_distributions() -> None:
    t = mg.empty(40, 50)
    check_uniform(values(init.uniform_(t, -3, 3)), 3)
    check_normal(values(init.normal_(t, 0, 2)), 2)
    check_uniform(values(init.xavier_uniform_(t, gain=2)), 2 * math.sqrt(6 / 90))
    check_normal(values(init.xavier_normal_(t)), math.sqrt(2 / 90))
    check_uniform(values(init.kaiming_uniform_(t, nonlinearity="relu")), math.sqrt(6 / 50))
    check_uniform(values(init.kaiming_uniform_(t, a=1, mode="fan_out")), math.sqrt(3 / 40))
    check_normal(values(init.kaiming_normal_(t)), math.sqrt(2 / 50))
    conv = mg.empty(20, 10, 3, 3)
    check_uniform(values(init.kaiming_uniform_(conv, nonlinearity="linear")), math.sqrt(3 / 90))
    x = values(init.trunc_normal_(t, mean=1, std=2, a=0, b=2))
    assert x.min() >= 0 and x.max() <= 2 and x.std() > 0.5 and abs(x.mean() - 1) < 0.1
    assert (values(init.ones_(t)) == 1).all() and (values(init.zeros_(t)) == 0).all() and (values(init.constant_(t,
                                                                                                                 3)) == 3).all()


def test_a_generator_decides_the_draws() -> None:
    for draw in (init.uniform_, init.normal_, init.xavier_uniform_, init.xavier_normal_, init.kaiming_uniform_,
                 init.kaiming_normal_, init.trunc_normal_, init.orthogonal_):
        a, b = [values(draw(mg.empty(4, 5), generator=mg.Generator().manual_seed(3))).copy() for _ in range(2)]
        assert np.array_equal(a, b), draw.__name__


def test_special_matrices() -> None:
    assert init.eye_(mg.empty(2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]
    for shape in ((3, 5), (5, 3), (4, 2, 3)):
        q = values(init.orthogonal_(mg.empty(*shape, dtype=mg.float64), gain=2)).reshape(shape[0], -1)
        small = q @ q.T if q.shape[0] < q.shape[1] else q.T @ q
        np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-12)
    x = mg.randn(1, 4, 5)
    for groups in (1, 2):
        weight = init.dirac_(mg.empty(4, 4 // groups, 3), groups=groups)
        assert np.array_equal(values(nn.functional.conv1d(x, weight, padding=1, groups=groups)), values(x))
    s = values(init.sparse_(mg.empty(10, 20), sparsity=0.25, std=1.0))
    assert ((s == 0).sum(0) == 3).all() and s[s != 0].std() == pytest.approx(1, rel=0.2)


def test_what_initialisation_refuses() -> None:
    vector = mg.empty(3)
    for draw in (init.xavier_uniform_, init.xavier_normal_, init.kaiming_uniform_, init.kaiming_normal_):
        with pytest.raises(ValueError, match="fewer than 2 dimensions"):
            draw(vector)
    with pytest.raises(ValueError, match="Only tensors with 2 dimensions"):
        init.eye_(vector)
    with pytest.raises(ValueError, match="Only tensors with 2 dimensions"):
        init.sparse_(vector, 0.5)
    with pytest.raises(ValueError, match="Only tensors with 3, 4, or 5 dimensions"):
        init.dirac_(vector)
    with pytest.raises(ValueError, match="must be divisible by groups"):
        init.dirac_(mg.empty(3, 1, 1), groups=2)
    with pytest.raises(ValueError, match="2 or more dimensions"):
        init.orthogonal_(vector)
    with pytest.raises(ValueError, match="Mode other not supported"):
        init.kaiming_normal_(mg.empty(2, 2), mode="other")
    with pytest.warns(UserWarning, match="zero-element tensors is a no-op"):
        init.kaiming_uniform_(mg.empty(0, 2))
    with pytest.warns(UserWarning, match="more than 2 std from"):
        init.trunc_normal_(mg.empty(2), mean=10)


def test_the_older_names_warn() -> None:
    with pytest.warns(FutureWarning, match="in favor of `nn.init.constant_`"):
        assert init.constant(mg.empty(2), 3).tolist() == [3, 3]


def test_parameters_stay_leaves_that_want_gradients() -> None:
    p = nn.Parameter(mg.empty(3, 3))
    for write in (init.uniform_, init.normal_, init.trunc_normal_, init.eye_, init.orthogonal_, init.ones_):
        assert write(p) is p and p.is_leaf and p.requires_grad and p.grad_fn is None


def test_layers_start_from_pytorchs_distributions() -> None:
    for layer, fan_in in ((nn.Linear(64, 600), 64), (nn.Conv2d(8, 600, 3), 72), (nn.ConvTranspose2d(60, 600, 3), 5400)):
        check_uniform(values(layer.weight), 1 / math.sqrt(fan_in))
        check_uniform(values(layer.bias), 1 / math.sqrt(fan_in))
    check_normal(values(nn.Embedding(100, 50).weight), 1)
    for name, p in nn.LSTM(20, 40).named_parameters():
        if p.ndim == 2:
            check_uniform(values(p), 1 / math.sqrt(40)), name
    attention = nn.MultiheadAttention(40, 4)
    check_uniform(values(attention.in_proj_weight), math.sqrt(6 / 160))
    assert not values(attention.in_proj_bias).any() and not values(attention.out_proj.bias).any()
    check_uniform(values(nn.Bilinear(25, 10, 10).weight), 0.2)
    norm = nn.BatchNorm2d(3)
    assert (values(norm.weight) == 1).all() and not values(norm.bias).any() and (norm.running_var.numpy() == 1).all()
    assert float(nn.PReLU(init=0.5).weight) == 0.5


def test_the_seed_decides_a_models_start() -> None:
    mg.manual_seed(7)
    a = nn.Linear(3, 4)
    mg.manual_seed(7)
    b = nn.Linear(3, 4)
    assert np.array_equal(values(a.weight), values(b.weight)) and np.array_equal(values(a.bias), values(b.bias))
