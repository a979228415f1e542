"""Random numbers: they repeat with the seed, follow their distributions, and come from the generator that is asked."""

from __future__ import annotations

import pickle
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from tests import standin

N = 20000


@pytest.fixture(autouse=True)
def _seeded() -> None:
    mg.manual_seed(1)


# ---------------------------------------------------------------------------------------------------- generators

def test_the_seed_decides() -> None:
    assert mg.manual_seed(3) is mg.default_generator
    first = mg.rand(4), mg.randn(4), mg.randint(100, (4,)), mg.randperm(9)
    mg.manual_seed(3)
    for before, after in zip(first, (mg.rand(4), mg.randn(4), mg.randint(100, (4,)), mg.randperm(9))):
        assert mg.equal(before, after)
    mg.manual_seed(4)
    assert not mg.equal(first[0], mg.rand(4))
    assert mg.initial_seed() == 4
    assert mg.manual_seed(-1).initial_seed() == 2**64 - 1
    with pytest.raises(RuntimeError, match="Overflow when unpacking long"):
        mg.manual_seed(2**64)


def test_a_seed_from_the_system() -> None:
    a, b = mg.seed(), mg.seed()
    assert a != b and mg.initial_seed() == b
    assert mg.Generator().initial_seed() != mg.Generator().initial_seed()


def test_state() -> None:
    mg.rand(3, dtype=mg.float32)  # leaves half of a 64-bit number over
    state = mg.get_rng_state()
    assert state.dtype is mg.uint8
    first = mg.rand(3), mg.randn(2)
    mg.set_rng_state(state)
    assert mg.equal(first[0], mg.rand(3)) and mg.equal(first[1], mg.randn(2)) and mg.initial_seed() == 1
    with pytest.raises(TypeError, match=r"set_rng_state\(\): argument 'new_state' must be a Tensor, not list"):
        mg.set_rng_state([1])
    with pytest.raises(RuntimeError, match="the state of a generator has 56 bytes"):
        mg.set_rng_state(mg.zeros(3, dtype=mg.uint8))


def test_generators_of_their_own() -> None:
    g = mg.Generator().manual_seed(5)
    before = mg.get_rng_state()
    first = mg.rand(3, generator=g)
    assert mg.equal(mg.get_rng_state(), before)
    assert mg.equal(first, mg.rand(3, generator=mg.Generator().manual_seed(5)))
    twin, thawed = g.clone_state(), pickle.loads(pickle.dumps(g))
    expected = mg.randn(3, generator=g)
    assert mg.equal(expected, mg.randn(3, generator=twin)) and mg.equal(expected, mg.randn(3, generator=thawed))
    assert g.device == mg.device("cpu") and repr(g) == "<minigrad.Generator on cpu>"
    for draw in (lambda: mg.randint(9, (2,), generator=g), lambda: mg.randperm(3, generator=g),
                 lambda: mg.zeros(2).uniform_(generator=g),
                 lambda: mg.normal(0, 1, (2,), generator=g), lambda: mg.bernoulli(mg.ones(2), generator=g)):
        draw()
    assert mg.equal(mg.get_rng_state(), before)


def test_fork() -> None:
    mg.rand(1)
    with mg.random.fork_rng():
        inside = mg.rand(2)
        mg.manual_seed(99)
    assert mg.equal(mg.rand(2), inside) and mg.initial_seed() == 1
    with mg.random.fork_rng(enabled=False):
        mg.manual_seed(7)
    assert mg.initial_seed() == 7
    with mg.random.fork_rng(devices=["cpu"]):
        mg.manual_seed(8)
    assert mg.initial_seed() == 7


def test_another_device_has_its_own_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    def generator(self: Any, seed: int, device: Any) -> Any:
        stream = np.random.default_rng(seed)

        def on_device(draw: Any) -> Any:
            return lambda *args, **options: standin.to_standin(draw(*args, **options))

        return SimpleNamespace(random=on_device(stream.random), standard_normal=on_device(stream.standard_normal))

    monkeypatch.setattr(standin.StandinLibrary, "generator", generator)
    mg.manual_seed(5)
    first = mg.rand(3, device="standin"), mg.randn(3, device="standin"), mg.randperm(3, device="standin")
    assert first[0].device == standin.DEVICE
    mg.manual_seed(5)
    assert mg.equal(first[0], mg.rand(3, device="standin")) and mg.equal(first[1], mg.randn(3, device="standin"))
    g = mg.Generator("standin").manual_seed(2)
    mg.rand(3, device="standin", generator=g)
    state = g.get_state()
    later = mg.rand(3, device="standin", generator=g)
    g.set_state(state)
    assert mg.equal(later, mg.rand(3, device="standin", generator=g))
    with pytest.raises(RuntimeError, match="Expected a 'cpu' device type for generator but found 'standin'"):
        mg.rand(3, generator=g)


# ---------------------------------------------------------------------------------------------------- distributions

@pytest.mark.parametrize("dtype", [mg.float16, mg.float32, mg.float64])
def test_uniform_and_normal(dtype: mg.dtype) -> None:
    u, n = mg.rand(N, dtype=dtype).double().numpy(), mg.randn(N, dtype=dtype).double().numpy()
    assert u.min() >= 0 and u.max() < 1 and abs(u.mean() - 0.5) < 0.01 and abs(u.var() - 1 / 12) < 0.003
    assert abs(n.mean()) < 0.03 and abs(n.std() - 1) < 0.03 and np.abs(n).max() > 3


@pytest.mark.parametrize("dtype", [mg.complex64, mg.complex128])
def test_complex(dtype: mg.dtype) -> None:
    n, u = mg.randn(N, dtype=dtype), mg.rand(10, dtype=dtype)
    assert n.dtype is dtype and abs(n.array.real.var() - 0.5) < 0.03 and abs(n.array.imag.var() - 0.5) < 0.03
    assert (u.array.real >= 0).all() and (u.array.imag > 0).any()


def test_randint() -> None:
    x = mg.randint(-2, 3, (N,))
    assert x.dtype is mg.int64 and sorted(set(x.tolist())) == [-2, -1, 0, 1, 2] and np.bincount(x.array + 2).min() > N / 5 * 0.9
    assert mg.randint(3, (2,), dtype=mg.float32).dtype is mg.float32
    assert mg.randint(0, 256, (4,), dtype=mg.uint8).dtype is mg.uint8
    assert mg.randint(high=3, size=(2,)).shape == mg.randint(low=1, high=3, size=(2,)).shape == (2,)
    assert set(mg.randint(2, (50,), dtype=mg.bool).tolist()) == {True, False}
    assert mg.randint(2**40, 2**63 - 1, (3,)).min().item() >= 2**40
    assert mg.randint_like(mg.ones(3), 5).dtype is mg.float32 and mg.randint_like(mg.ones(2), 4, 5).tolist() == [4, 4]
    with pytest.raises(RuntimeError, match="random_ expects 'from' to be less than 'to', but got from=3 >= to=3"):
        mg.randint(3, 3, (2,))
    with pytest.raises(RuntimeError, match=r"from=0, to=300: out of bounds for minigrad.uint8, which holds 0 to 255"):
        mg.randint(0, 300, (2,), dtype=mg.uint8)
    with pytest.raises(TypeError, match="argument 'size' must be a tuple of ints"):
        mg.randint(3, 2)
    with pytest.raises(TypeError, match="missing argument 'high'"):
        mg.randint((2,))
    with pytest.raises(TypeError, match="takes low, high and size, got 4"):
        mg.randint(1, 2, 3, (2,))


def test_randperm() -> None:
    x = mg.randperm(100)
    assert sorted(x.tolist()) == list(range(100)) and x.tolist() != list(range(100)) and x.dtype is mg.int64
    assert mg.randperm(0).shape == (0,) and mg.randperm(3, dtype=mg.int32).dtype is mg.int32
    with pytest.raises(RuntimeError, match="n must be non-negative, got -1"):
        mg.randperm(-1)


def test_normal() -> None:
    x = mg.normal(5.0, 2.0, (N,))
    assert abs(x.array.mean() - 5) < 0.1 and abs(x.array.std() - 2) < 0.1
    means = mg.tensor([0.0, 100.0])
    assert mg.normal(means, 0.0).tolist() == [0, 100] and mg.normal(means).shape == (2,)
    assert mg.normal(0.0, mg.zeros(2, 1)).shape == (2, 1) and mg.normal(means, mg.ones(3, 1)).shape == (3, 2)
    with pytest.raises(RuntimeError, match="expects all elements of std >= 0.0"):
        mg.normal(0.0, -mg.ones(2))
    with pytest.raises(TypeError, match="argument 'size' is needed"):
        mg.normal(0.0, 1.0)


def test_bernoulli() -> None:
    p = mg.tensor([0.0, 0.25, 1.0])
    x = mg.bernoulli(p.expand(N, 3))
    assert abs(x.array.mean(0) - p.array).max() < 0.02 and x.dtype is mg.float32
    assert mg.bernoulli(mg.empty(3), p=1).tolist() == [1, 1, 1] and p.bernoulli().shape == (3,)
    chance = mg.tensor([0.5, 0.5], requires_grad=True)
    mg.bernoulli(chance).sum().backward()
    assert chance.grad.tolist() == [0, 0]
    with pytest.raises(RuntimeError, match=r"expects p to be in \[0, 1\]"):
        mg.bernoulli(mg.ones(1) * 2)


def test_multinomial() -> None:
    weights = mg.tensor([0.0, 1.0, 3.0])
    x = mg.multinomial(weights, N, replacement=True)
    assert x.dtype is mg.int64 and abs((x.array == 2).mean() - 0.75) < 0.02 and (x.array != 0).all()
    first = np.array([mg.multinomial(weights, 2).tolist() for _ in range(2000)])
    assert (np.sort(first) == [1, 2]).all() and abs((first[:, 0] == 2).mean() - 0.75) < 0.04
    rows = mg.multinomial(mg.tensor([[1.0, 0.0], [0.0, 1.0]]), 3, True)
    assert rows.tolist() == [[0, 0, 0], [1, 1, 1]] and weights.multinomial(1).shape == (1,)
    for wrong, n, match in ((mg.ones(2), 3, "cannot sample n_sample > prob_dist"), (mg.ones(2), 0, "n_sample <= 0"),
                            (mg.tensor([-1.0, 2.0]), 1, "element < 0"), (mg.zeros(2), 1, "sum of probabilities <= 0"),
                            (mg.ones(1, 1, 1), 1, "1 or 2 dimensions")):
        with pytest.raises(RuntimeError, match=match):
            mg.multinomial(wrong, n)
    with pytest.raises(RuntimeError, match="expected 'out' of dtype minigrad.int64"):
        mg.multinomial(weights, 1, out=mg.empty(1))


def test_counts() -> None:
    x = mg.poisson(mg.full((N,), 3.0))
    assert x.dtype is mg.float32 and abs(x.array.mean() - 3) < 0.1 and abs(x.array.var() - 3) < 0.2
    y = mg.binomial(mg.full((N,), 10.0), mg.full((N,), 0.3))
    assert abs(y.array.mean() - 3) < 0.1 and y.array.max() <= 10
    with pytest.raises(RuntimeError, match="invalid Poisson rate"):
        mg.poisson(-mg.ones(2))


# ---------------------------------------------------------------------------------------------------- into a tensor

@pytest.mark.parametrize("dtype", [mg.float32, mg.float64])
def test_filling(dtype: mg.dtype) -> None:
    x = mg.empty(N, dtype=dtype)

    def moments(filled: Any) -> tuple[float, float]:
        assert filled is x and x.dtype is dtype
        return float(x.array.mean()), float(x.array.std())

    assert moments(x.uniform_(2, 4)) == pytest.approx((3, 3**-0.5), abs=0.02) and 2 <= x.min().item() <= x.max().item() < 4
    assert moments(x.normal_(1, 3)) == pytest.approx((1, 3), abs=0.1)
    assert moments(x.exponential_(2)) == pytest.approx((0.5, 0.5), abs=0.03)
    assert moments(x.geometric_(0.25)) == pytest.approx((4, 12**0.5), abs=0.2) and x.min().item() == 1
    assert moments(x.bernoulli_(0.25))[0] == pytest.approx(0.25, abs=0.02)
    assert np.log(x.log_normal_(1, 0.5).array).mean() == pytest.approx(1, abs=0.03)
    assert float(np.median(x.cauchy_(3, 2).array)) == pytest.approx(3, abs=0.15)
    x.uniform_(**{"from": 5, "to": 5})
    assert x[0].item() == 5


def test_filling_with_integers() -> None:
    x = mg.empty(N, dtype=mg.int64)
    assert set(x.random_(3).tolist()) == {0, 1, 2} and set(x.random_(5, 7).tolist()) == {5, 6}
    assert set(x.random_(**{"from": 1, "to": 2}).tolist()) == {1} and x.random_().max().item() > 2**60
    assert mg.empty(N, dtype=mg.uint8).random_().max().item() == 255 and mg.empty(N).random_().max().item() > 2**23
    assert set(mg.empty(50, dtype=mg.bool).random_().tolist()) == {True, False}
    assert set(mg.zeros(2, dtype=mg.int64).bernoulli_(mg.tensor([0.0, 1.0])).tolist()) == {0, 1}


@pytest.mark.parametrize(("fill", "match"), [
    (lambda: mg.ones(2).uniform_(2, 1), r"expects to return a \[from, to\) range, but found from=2 > to=1"),
    (lambda: mg.ones(2).normal_(0, -1), "expects std >= 0.0, but found std -1"),
    (lambda: mg.ones(2).exponential_(0), "expects lambda > 0.0, but found lambda=0"),
    (lambda: mg.ones(2).geometric_(1.5), r"expects p to be in \(0, 1\), but got p=1.5"),
    (lambda: mg.ones(2).cauchy_(0, 0), "expects sigma > 0.0, but found sigma=0"),
    (lambda: mg.ones(2).log_normal_(0, 0), "expects std > 0.0, but found std=0"),
    (lambda: mg.ones(2).bernoulli_(2), r"expects p to be in \[0, 1\], got 2"),
    (lambda: mg.arange(2).uniform_(), "expected a floating or complex tensor, got minigrad.int64"),
    (lambda: mg.rand(2, dtype=mg.int64), "randint draws integers"),
    (lambda: mg.randn(2, dtype=mg.int64), "randint draws integers"),
    (lambda: mg.ones(2, requires_grad=True).normal_(), "a leaf Variable that requires grad")])
def test_filling_refuses(fill: Any, match: str) -> None:
    with pytest.raises(RuntimeError, match=match):
        fill()


def test_filling_refuses_unknown_names() -> None:
    for fill in (mg.ones(2).uniform_, mg.ones(2).random_):
        with pytest.raises(TypeError, match="got an unexpected keyword argument 'until'"):
            fill(until=3)
