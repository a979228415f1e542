"""Small parameters that move together: as each would alone to the last bit, and nobody who looks at them sees more of it."""

from __future__ import annotations

import copy
import pickle
import tracemalloc
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.optim.blocks import BLOCK, SMALL, elementwise
from tests.test_optimizer_table import EACH

SHAPES = [(3, 4), (5,), (), (2, 1, 3), (0,), (7, 2), (SMALL + 1,), (1,)]
TOGETHER = [p for p in EACH if p.values[0] not in ("LBFGS", "Muon", "Adafactor")]  # whose elements depend on each other


def parameters(shapes: Any = SHAPES, dtype: Any = np.float32) -> list[nn.Parameter]:
    rng = np.random.default_rng(1)
    return [nn.Parameter(mg.tensor(np.asarray(rng.standard_normal(shape), dtype))) for shape in shapes]


def give_gradients(step: int, *models: list[nn.Parameter], without: Any = ()) -> None:
    """The same gradients to the parameters of all `models`, but for those with these numbers."""
    rng = np.random.default_rng(step)
    for k, same in enumerate(zip(*models)):
        x = same[0].array
        g = np.asarray(rng.standard_normal(x.shape) + (1j * rng.standard_normal(x.shape) if x.dtype.kind == "c" else 0), x.dtype)
        for p in same:
            p.grad = None if k in without else mg.tensor(g)


def values_of(optimizer: optim.Optimizer, params: list[Any]) -> list[Any]:
    return [(p.array, {key: getattr(t, "array", t) for key, t in optimizer.state[p].items()}) for p in params]


def assert_same(found: Any, wanted: Any) -> None:
    for (x, state), (y, other) in zip(found, wanted, strict=True):
        assert x.dtype == y.dtype and list(state) == list(other)
        np.testing.assert_array_equal(x, y)
        for key in state:
            assert state[key].dtype == other[key].dtype and state[key].shape == other[key].shape
            np.testing.assert_array_equal(state[key], other[key], err_msg=key)


def alone(name: str) -> Any:
    """The optimizer with an ``update`` that is not declared to be elementwise, so that each parameter moves alone."""
    class Alone(getattr(optim, name)):  # type: ignore[misc]
        def update(self, *args: Any) -> None:
            super().update(*args)
    return Alone


def compare(name: str, settings: dict[str, Any], steps: int, ours: Any, theirs: Any, without: Any = None,
            between: Callable[..., None] | None = None) -> None:
    """Both move to the same places, with the same states; `without` says which have no gradient in a step."""
    one, other = getattr(optim, name)(ours, **settings), alone(name)(theirs, **settings)
    for k in range(steps):
        give_gradients(k, ours, theirs, without=(without or {}).get(k, ()))
        one.step()
        other.step()
        assert_same(values_of(one, ours), values_of(other, theirs))
        if between is not None and k == 1:
            between(ours, one)
            between(theirs, other)


@pytest.mark.parametrize(("name", "settings"), TOGETHER)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.complex64])
def test_together_as_each_alone(name: str, settings: dict[str, Any], dtype: Any) -> None:
    compare(name, settings, 4, parameters(dtype=dtype), parameters(dtype=dtype))


@pytest.mark.parametrize(("name", "settings"), TOGETHER)
def test_those_without_gradient_stay_and_come_back(name: str, settings: dict[str, Any]) -> None:
    compare(name, settings, 6, parameters(), parameters(), {1: (0, 3), 3: (5,), 4: range(6)})


def test_parameters_of_several_dtypes_and_layouts() -> None:
    def mixed() -> list[nn.Parameter]:
        rng = np.random.default_rng(3)
        return [nn.Parameter(mg.from_numpy(np.asarray(rng.standard_normal((4, 3)), dtype, order)))
                for dtype in (np.float32, np.float64, np.complex128, mg.bfloat16.numpy) for order in "CFCC"]

    compare("Adam", {}, 3, mixed(), mixed())


class Counting(optim.Adam):
    """Counts how often it is given what."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.sizes: list[int] = []

    @elementwise
    def update(self, p: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        self.sizes.append(p.array.size)
        super().update(p, grad, state, group)


def sizes(*groups: list[nn.Parameter]) -> list[int]:
    """How many elements are given to `update` at once, in a step that has a state."""
    optimizer = Counting([{"params": params} for params in groups])
    for k in range(2):
        for params in groups:
            give_gradients(k, params)
        optimizer.sizes.clear()
        optimizer.step()
    return sorted(optimizer.sizes)


def test_what_moves_together() -> None:
    assert sizes(parameters([(16,)] * 30)) == [480]
    assert sizes(parameters([(2,), (SMALL,), (SMALL + 1,), (3,)])) == [SMALL + 1, SMALL + 5]
    assert sizes(parameters([(SMALL,)] * 9)) == [SMALL, BLOCK, BLOCK]
    assert sizes(parameters([(2,), (3,)])) == [2, 3]
    assert sizes(parameters([(2,), (3,), (4,)]) + parameters([(5,), (6,), (7,)], np.float64)) == [9, 18]
    turned = [nn.Parameter(mg.ones(2, 3).t()) for _ in range(4)]
    assert sizes(turned) == [6] * 4
    assert sizes(parameters([(2,), (3,), (4,)]), parameters([(5,), (6,), (7,)])) == [9, 18]


def test_an_update_that_was_not_declared_is_given_each_alone() -> None:
    given: list[int] = []

    class Normed(optim.Adam):
        def update(self, p: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
            given.append(grad.size)
            super().update(p, grad / max(np.linalg.norm(grad), 1), state, group)

    params = parameters([(3,)] * 4)
    give_gradients(0, params)
    Normed(params).step()
    assert given == [3] * 4


def test_views_and_state_stay_where_they_are() -> None:
    params = parameters()
    optimizer = optim.Adam(params)
    give_gradients(0, params)
    optimizer.step()
    p, state = params[0], optimizer.state[params[0]]
    views = {"p": p.detach().numpy().reshape(-1), **{key: t.view(-1) for key, t in state.items()}}
    held = [id(t.array) for t in (p, *state.values())]
    for k in range(1, 4):
        give_gradients(k, params)
        optimizer.step()
    assert held == [id(t.array) for t in (p, *state.values())] and optimizer.state[p] is state and state["step"] == 4
    for key, t in {"p": p.detach(), **state}.items():
        np.testing.assert_array_equal(np.asarray(views[key]), t.numpy().reshape(-1))
    assert state["exp_avg"].untyped_storage().nbytes() == 48


def test_a_step_is_noted_as_a_write_to_each() -> None:
    params = parameters()
    losses = [(p * p).sum() for p in params]
    give_gradients(0, params)
    optim.Adam(params).step()
    for loss in losses[:4]:
        with pytest.raises(RuntimeError, match=r"modified by an inplace operation(.|\n)*Adam.step"):
            loss.backward()


def test_what_shares_memory_moves_one_by_one() -> None:
    def tied() -> list[nn.Parameter]:
        params = parameters([(4,), (2,), (3,), (2, 2), (5,)])
        params[3].data = params[0].detach().view(2, 2)
        return params

    compare("Adam", {}, 3, tied(), tied())
    p = parameters([(4,), (2,), (3,)])
    with pytest.warns(UserWarning, match="duplicate"):
        optimizer = optim.SGD([*p, p[0]], lr=1.0, momentum=0.5)
    before = p[0].detach().clone()
    give_gradients(0, p)
    optimizer.step()  # as PyTorch: twice, the second time with momentum
    np.testing.assert_allclose(p[0].detach().numpy(), (before - 2.5 * p[0].grad).numpy(), rtol=1e-6)


def test_gradients_of_any_layout_and_what_is_refused() -> None:
    params = parameters([(3, 4), (4, 3), (2, 6)])
    for p in params:
        p.grad = mg.ones(p.shape[::-1]).t()
    optim.SGD(params, lr=1.0, weight_decay=0.0, maximize=True).step()
    np.testing.assert_array_equal(params[0].detach().numpy(), parameters([(3, 4)])[0].detach().numpy() + 1)
    params[1].data = mg.ones(3, 4)
    with pytest.raises(ValueError, match=r"\(3,4\)"):
        optim.Adam(params).step()
    frozen = np.ones(3)
    frozen.flags.writeable = False
    with pytest.warns(UserWarning, match="not writable"):
        last = nn.Parameter(mg.from_numpy(frozen))
    last.grad = mg.ones(3, dtype=mg.float64)
    with pytest.raises(RuntimeError, match="Adam.step: parameter 3 of shape"):
        optim.Adam([*parameters([(3,)] * 3), last]).step()


def test_a_step_needs_memory_for_a_few_blocks_only() -> None:
    params = parameters([(8000,)] * 100 + [(400_000,)])
    for name in ("Adam", "SGD", "NAdam"):
        optimizer = getattr(optim, name)(params, weight_decay=0.1)
        give_gradients(0, params)
        optimizer.step()
        optimizer.step()
        tracemalloc.start()
        try:
            optimizer.step()
            assert tracemalloc.get_traced_memory()[1] < 10 * BLOCK * 4
        finally:
            tracemalloc.stop()


def test_no_state_is_kept_for_groups_that_are_gone() -> None:
    params = parameters()
    optimizer = optim.Adam(params)
    for k in range(4):
        give_gradients(k, params)
        optimizer.step()
        optimizer.load_state_dict(optimizer.state_dict())
    assert len(optimizer._bundles) == 0


def replace_data(ours: Any, one: Any) -> None:
    for p in ours[:3]:
        p.data = p.data * 2


def replace_state(ours: Any, one: Any) -> None:
    for p in ours[:4]:
        one.state[p] = {key: t * 0.5 for key, t in one.state[p].items()}
    one.state[ours[4]]["exp_avg"] = mg.zeros(0)
    one.state[ours[5]]["exp_avg"].data = mg.ones(7, 2)


def forget_state(ours: Any, one: Any) -> None:
    one.state.clear()


def count_anew(ours: Any, one: Any) -> None:
    for k in (0, 2, 5):
        one.state[ours[k]]["step"].fill_(float(k))
    one.state[ours[1]]["step"] = mg.tensor([3.0])


def load(ours: Any, one: Any) -> None:
    one.load_state_dict(pickle.loads(pickle.dumps(one.state_dict())))


def load_of_an_older_version(ours: Any, one: Any) -> None:
    state = copy.deepcopy(one.state_dict())
    for found in state["state"].values():
        found["step"] = int(found["step"])
    one.load_state_dict(state)


def change_settings(ours: Any, one: Any) -> None:
    one.param_groups[0].update(lr=mg.tensor(0.2), weight_decay=0.1)


def write_into(ours: Any, one: Any) -> None:
    for p in ours:
        p.detach().numpy()[...] *= 2
        one.state[p]["exp_avg_sq"].mul_(2)


@pytest.mark.parametrize("change", [replace_data, replace_state, forget_state, count_anew, load, load_of_an_older_version,
                                    change_settings, write_into])
def test_what_programs_do_between_steps(change: Callable[..., None]) -> None:
    compare("Adam", {}, 5, parameters(), parameters(), between=change)
