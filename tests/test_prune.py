"""Pruning."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn.utils import prune


def layer() -> Any:
    made = nn.Linear(4, 3)
    made.weight.data.copy_(mg.arange(12.0).view(3, 4) - 6)
    return made


def test_a_pruned_parameter_is_taken_apart_and_put_together() -> None:
    m = layer()
    before = m.weight
    assert prune.l1_unstructured(m, "weight", amount=3) is m
    assert dict(m.named_parameters()).keys() == {"bias", "weight_orig"} and m.weight_orig is before
    expected = np.ones(12)
    expected[5:8] = 0  # -1, 0, 1
    np.testing.assert_array_equal(m.weight_mask.flatten().numpy(), expected)
    assert prune.is_pruned(nn.Sequential(m))
    mg.optim.SGD([m.weight_orig], lr=1.0)
    m(mg.ones(1, 4)).sum().backward()
    np.testing.assert_array_equal(m.weight_orig.grad.flatten().numpy(), expected)
    m.weight_orig.data.fill_(2)
    m(mg.ones(1, 4))
    np.testing.assert_array_equal(m.weight.detach().flatten().numpy(), 2 * expected)
    prune.remove(m, "weight")
    assert list(m._parameters) == ["bias", "weight"] and m.weight is before and not prune.is_pruned(m)
    np.testing.assert_array_equal(m.weight.detach().flatten().numpy(), 2 * expected)


def test_pruning_again_takes_from_what_is_left() -> None:
    m = layer()
    prune.l1_unstructured(m, "weight", amount=0.5)  # -3 ... 2
    prune.l1_unstructured(m, "weight", amount=1 / 3)  # of the six that are left
    assert m.weight_mask.sum() == 4
    prune.ln_structured(m, "weight", amount=1, n=2, dim=0)
    left = m.weight.detach().numpy()
    assert np.count_nonzero(left.any(1)) == 1
    hook = next(iter(m._forward_pre_hooks.values()))
    assert isinstance(hook, prune.PruningContainer) and [type(h).__name__ for h in hook] == [
        "L1Unstructured", "L1Unstructured", "LnStructured"] and len(hook) == 3 and hook[0].amount == 0.5
    with pytest.raises(TypeError, match="is not a BasePruningMethod subclass"):
        hook.add_pruning_method(3)
    other = prune.Identity()
    other._tensor_name = "bias"
    with pytest.raises(ValueError, match="acting on the parameter named 'weight'"):
        hook.add_pruning_method(other)


def test_slices_are_pruned_whole() -> None:
    m = layer()
    mg.manual_seed(0)
    prune.random_structured(m, "weight", amount=2, dim=1)
    assert sorted(m.weight_mask.sum(0).tolist()) == [0, 0, 3, 3]
    m = layer()
    prune.ln_structured(m, "weight", amount=1, n=float("inf"), dim=-1)
    assert m.weight_mask.sum(0).tolist() == [3, 3, 0, 3]  # columns of -6, -5, -4, 5
    m = layer()
    prune.ln_structured(m, "weight", amount=2, n=1, dim=0, importance_scores=mg.tensor([[1.0] * 4, [9.0] * 4, [5.0] * 4]))
    assert m.weight_mask.sum(1).tolist() == [0, 4, 0]


def test_random_elements_and_given_masks() -> None:
    m = layer()
    prune.random_unstructured(m, "weight", amount=0.25)
    assert m.weight_mask.sum() == 9
    prune.custom_from_mask(m, "weight", mg.zeros(3, 4))
    assert m.weight.detach().abs().sum() == 0
    prune.identity(m, "bias")
    assert m.bias_mask.tolist() == [1, 1, 1]
    assert prune.L1Unstructured(amount=1).prune(mg.tensor([1.0, 2.0]), importance_scores=mg.tensor([5.0, 1.0])).tolist() == [1, 0]


def test_several_parameters_as_one() -> None:
    a, b = layer(), layer()
    b.weight.data.mul_(100)
    pairs = [(a, "weight"), (b, "weight")]
    prune.global_unstructured(pairs, prune.L1Unstructured, amount=12)
    assert a.weight_mask.sum() == 1 and b.weight_mask.sum() == 11  # the zero of b went too, and the first of the two 6 stayed
    prune.global_unstructured(pairs, prune.L1Unstructured, importance_scores={(a, "weight"): mg.full((3, 4), 1e9)}, amount=5)
    assert a.weight_mask.sum() == 1 and b.weight_mask.sum() == 6
    with pytest.raises(TypeError, match='Only "unstructured" PRUNING_TYPE supported'):
        prune.global_unstructured(pairs, prune.LnStructured, amount=1, n=2)
    with pytest.raises(TypeError, match="should be an iterable of pairs"):
        prune.global_unstructured([a], prune.L1Unstructured, amount=1)  # type: ignore[list-item]
    with pytest.raises(TypeError, match="importance_scores must be of type dict"):
        prune.global_unstructured(pairs, prune.L1Unstructured, importance_scores=[1], amount=1)  # type: ignore[arg-type]


@pytest.mark.parametrize(("call", "error", "text"), [
    (lambda m: prune.l1_unstructured(m, "weight", amount="I'm a string"), TypeError, "Invalid type for amount"),
    (lambda m: prune.l1_unstructured(m, "weight", amount=1.1), ValueError, "amount=1.1 should either be a float in the range"),
    (lambda m: prune.l1_unstructured(m, "weight", amount=-1), ValueError, "amount=-1 should either be"),
    (lambda m: prune.l1_unstructured(m, "weight", amount=20), ValueError, "amount=20 should be smaller than the number of"),
    (lambda m: prune.random_structured(m, "bias", amount=1, dim=0), ValueError, r"multidimensional tensors.*shape \[3\]"),
    (lambda m: prune.random_structured(m, "weight", amount=1, dim=2), IndexError, "Index is out of bounds for tensor with dim"),
    (lambda m: prune.remove(m, "weight"), ValueError, "Parameter 'weight' of module Linear.* has to be pruned before"),
    (lambda m: prune.l1_unstructured(m, "weight", 1, importance_scores=mg.ones(2)), AssertionError, "same shape as parameter"),
    (lambda m: prune.Identity().apply_mask(m), AssertionError, "has to be pruned"),
])
def test_what_is_refused_changes_nothing(call: Any, error: type[Exception], text: str) -> None:
    m = layer()
    with pytest.raises(error, match=text):
        call(m)
    assert list(m._parameters) == ["weight", "bias"] and not m._buffers and not m._forward_pre_hooks


@pytest.mark.parity
def test_masks_are_those_of_pytorch() -> None:
    torch, theirs = pytest.importorskip("torch"), pytest.importorskip("torch.nn.utils.prune")
    values = np.random.default_rng(0).standard_normal((5, 4, 3)).astype(np.float32)

    def run(library: Any, p: Any) -> list[Any]:
        m = library.nn.Conv1d(4, 5, 3)
        m.weight.data.copy_(library.tensor(values))
        masks = []
        p.l1_unstructured(m, "weight", 0.3)
        masks.append(m.weight_mask.numpy().copy())
        for n, dim in ((2, 0), (1, -1), (3, 1)):
            p.ln_structured(m, "weight", 1, n=n, dim=dim)
            masks.append(m.weight_mask.numpy().copy())
        p.global_unstructured([(m, "weight"), (m, "bias")], p.L1Unstructured, amount=0.2, importance_scores={
            (m, "bias"): library.full((5,), 10.0)})
        return [*masks, m.weight_mask.numpy(), m.bias_mask.numpy()]

    for mine, expected in zip(run(mg, prune), run(torch, theirs)):
        np.testing.assert_array_equal(mine, expected)
