"""bfloat16: stored in 16 bits, computed with in float32, rounded once.

Every operation of the table gives what it gives in float32, rounded; so does every rule. What is no matter of single operations
(promotion, printing, files, optimizers, training) is below.
"""

from __future__ import annotations

import copy
import io
import itertools
import pickle
import subprocess
import sys
import warnings
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad._types import dtypes
from minigrad.errors import DeviceError
from minigrad.optim.state import NUMBERS
from minigrad.recording.call import REGISTRY
from tests import checks, module_checks, test_optimizer_table
from tests.optimizer_cases import gradient
from tests.test_module_table import EACH as LAYERS
from tests.test_op_table import CASES, NAMES, WITH_RULES, drawn

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
minigrad.empty(0, dtype=minigrad.bfloat16)  # from its first use on, operations look for it among arrays too
# What depends on how far the next number is, or on the bits.
OF_THE_DTYPE = {"nextafter", "nan_to_num", "view_dtype", "view_as_complex", "cast"}
# Whose rules take from the result, which was rounded, almost all away.
CANCELLING = {"beta_tail", "gamma_tail"}


def widen(x: Any) -> Any:
    """`x`, an array, None or a tuple of such, with float32 in the place of bfloat16."""
    if isinstance(x, tuple):
        return tuple([widen(part) for part in x])
    return x.astype(np.float32) if x is not None and x.dtype == BFLOAT16 else x


def narrow(x: Any) -> Any:
    """The array `x`, rounded to bfloat16 where it is float32."""
    x = np.asarray(x)
    return x.astype(BFLOAT16) if x.dtype == np.float32 else x


def bfloat16(*numbers: Any, requires_grad: bool = False) -> Any:
    return minigrad.tensor(numbers, dtype=minigrad.bfloat16, requires_grad=requires_grad)


def samples(name: str) -> list[Any]:
    """Samples of an operation with bfloat16 in the place of every real floating array."""
    def turned(a: Any) -> Any:
        return a.astype(BFLOAT16) if checks.is_float(a) and a.dtype.kind == "f" else a
    return [(tuple([turned(a) for a in args]), settings) for args, settings in [*CASES[name].examples[:2], *drawn(name)[:3]]]


def largest(x: Any) -> float:
    return float(np.max(np.abs(x), initial=0.0, where=np.isfinite(x))) if x.dtype.kind in "fc" else 0.0


def assert_same(what: str, found: Any, expected: Any, rtol: float = 0.0, scale: float = 0.0) -> None:
    assert found.dtype == expected.dtype, f"{what}: {found.dtype}, not {expected.dtype}"
    found, expected = widen(found), widen(expected)
    checks.assert_close(what, found, expected, rtol, scale=max(scale, largest(expected)))


def largest_sums(op: Any, case: Any, args: Any, settings: dict[str, Any], weights: Any, which: list[int]) -> list[float]:
    """How large what is added up to each gradient may be: of an argument that is broadcast each element gets several gradients,
    which are rounded before they are added and may cancel each other."""
    shape = np.broadcast_shapes(*[a.shape for a in args if a is not None]) if op.info.broadcasts else None
    whole = args if shape is None else tuple([a if a is None else np.broadcast_to(a, shape).copy() for a in args])
    terms = checks.gradients(op, case, whole, settings, weights, which)
    return [largest(t) * t.size / max(1, args[k].size) for k, t in zip(which, terms)]


@pytest.mark.parametrize("name", [n for n in NAMES if n not in OF_THE_DTYPE and not CASES[n].drawn])
def test_the_result_is_that_in_float32_rounded(name: str) -> None:
    op, case = REGISTRY[name], CASES[name]
    for args, settings in samples(name):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
            try:
                wide = checks.evaluate(op, case, widen(args), settings)
            except Exception:
                continue  # of another dtype than the sample's, as some settings are arrays
            rounds = settings.get("dtype") is None and any(a is not None and a.dtype == BFLOAT16 for a in args)
            kept = [op.info.results[name] for name in op.info.wide]
            expected = [narrow(a) if rounds and k not in kept else np.asarray(a) for k, a in enumerate(wide)]
            for found, want in zip(checks.evaluate(op, case, args, settings), expected):
                assert_same(checks.described(op, args, settings), np.asarray(found), want)
            tensors = checks.evaluate(op, case, [checks.tensor_of(a) for a in args], settings)
            for found, want in zip(tensors, expected):
                assert_same(checks.described(op, args, settings) + " of tensors", found.array, want)


@pytest.mark.parametrize("name", [n for n in WITH_RULES if n not in OF_THE_DTYPE | CANCELLING and not CASES[n].drawn])
def test_a_rule_gives_what_it_gives_in_float32_rounded(name: str) -> None:
    op, case = REGISTRY[name], CASES[name]
    for args, settings in samples(name):
        wide = widen(args)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
            which = checks.differentiable(op, wide)
            if not which:
                continue
            outs = checks.evaluate(op, case, wide, settings)
            weights = [None if w is None else w.astype(BFLOAT16) if w.dtype == np.float32 else w
                       for w in checks.weights_for(np.random.default_rng(0), outs)]
            expected = checks.gradients(op, case, wide, settings, widen(tuple(weights)), which)
            found = checks.gradients(op, case, args, settings, weights, which)
            sums = largest_sums(op, case, wide, settings, widen(tuple(weights)), which)
            for got, want, scale in zip(found, expected, sums):
                what = f"gradient of {checks.described(op, args, settings)}"
                assert_same(what, got, narrow(want), 2**-6, scale)  # where the result, which is rounded, is saved


# ---------------------------------------------------------------------------------------------------- layers and optimizers

@pytest.mark.parametrize("case", LAYERS)
def test_a_layer_computes_what_it_does_in_float64_to_the_precision_of_its_numbers(case: Any) -> None:
    module = module_checks.built(case).eval().bfloat16()
    assert {p.dtype for p in [*module.parameters(), *module.buffers()] if p.is_floating_point()} <= {minigrad.bfloat16}
    given = module_checks.each(case.inputs, lambda a: np.asarray(widen(a.astype(BFLOAT16)) if a.dtype.kind == "f" else a))
    inputs = module_checks.tensors(given, minigrad.bfloat16)
    for t, wanted in zip(module_checks.leaves(inputs), module_checks.floating(case)):
        t.requires_grad_(wanted)
    exact = module_checks.leaves(copy.deepcopy(module).double()(*module_checks.tensors(given, minigrad.float64)))
    found = module_checks.leaves(module(*inputs))
    assert [y.dtype for y in found] == [minigrad.bfloat16 if y.is_floating_point() else y.dtype for y in exact]
    for y, want in zip(found, exact):
        assert_same(type(module).__name__, widen(y.array), want.array.astype(np.float32), 2**-6)
    total = [y.sum() for y in found if y.requires_grad]
    if total:
        sum(total).backward()
        grads = [t.grad for t in [*module_checks.leaves(inputs), *module.parameters()] if t.grad is not None]
        assert grads
        assert {g.dtype for g in grads} == {minigrad.bfloat16}


def test_norms_take_weights_of_float32() -> None:
    x, w = bfloat16(1.0, 2.0, 4.0, requires_grad=True), minigrad.tensor([1.003, 1.0, 1.0], requires_grad=True)
    y = nn.functional.layer_norm(x, (3,), w, minigrad.zeros(3))
    y.sum().backward()
    assert [t.dtype for t in (y, x.grad, w.grad)] == [minigrad.bfloat16, minigrad.bfloat16, minigrad.float32]
    z = minigrad.rand(4, 3, dtype=minigrad.bfloat16)
    norm = nn.BatchNorm1d(3)
    assert norm(z).dtype is norm.eval()(z).dtype is minigrad.bfloat16 and norm.running_mean.dtype is minigrad.float32


def tensors_of_state(optimizer: Any, p: Any) -> list[Any]:
    return [t for key, t in optimizer.state[p].items() if isinstance(t, minigrad.Tensor) and key not in NUMBERS]


@pytest.mark.parametrize(("name", "settings"), [p.values for p in test_optimizer_table.EACH])
def test_an_optimizer_moves_what_it_does_in_float32_rounded_after_each_step(name: str, settings: dict[str, Any]) -> None:
    start = np.random.default_rng(3).standard_normal((3, 4)).astype(BFLOAT16)
    p, wide = [nn.Parameter(minigrad.from_numpy(x)) for x in (start.copy(), widen(start))]
    optimizer, reference = [getattr(minigrad.optim, name)([t], **settings) for t in (p, wide)]
    for _ in range(4):
        if name == "LBFGS":
            before = optimizer.step(lambda: closure(optimizer, p))
            assert p.dtype is minigrad.bfloat16 and closure(optimizer, p) <= before
            continue
        p.grad = minigrad.from_numpy(narrow(gradient(widen(p.array))))
        wide.grad = p.grad.float()
        optimizer.step()
        reference.step()
        for t in (wide, *tensors_of_state(reference, wide)):
            t.array[...] = widen(narrow(t.array))
        np.testing.assert_array_equal(widen(p.array), wide.array)
        assert {t.dtype for t in tensors_of_state(optimizer, p)} <= {minigrad.bfloat16}
    state = pickle.loads(pickle.dumps(optimizer.state_dict()))
    optimizer.load_state_dict(state)
    assert name == "LBFGS" or {t.dtype for t in tensors_of_state(optimizer, p)} <= {minigrad.bfloat16}


def closure(optimizer: Any, p: Any) -> Any:
    optimizer.zero_grad()
    value = (p * p).sum()
    value.backward()
    return value


def test_clipping() -> None:
    w = bfloat16(3.0, 4.0, requires_grad=True)
    for _ in range(2):
        w.grad = bfloat16(300.0, 400.0)
        total = nn.utils.clip_grad_norm_([w], 5.0)
        assert total.dtype is minigrad.bfloat16 and total.item() == 500.0
        assert w.grad.tolist() == [3.0, 4.0]
    nn.utils.clip_grad_value_([w], 3.5)
    assert w.grad.tolist() == [3.0, 3.5]


# ---------------------------------------------------------------------------------------------------- dtypes

FLOATING = (dtypes.float16, dtypes.float32, dtypes.float64)


def test_promotion() -> None:
    """Of bfloat16 with itself, with what is below and above it, and with float16, beside which it takes float32."""
    for d in dtypes.ALL:
        wanted = dtypes.float32 if d is dtypes.float16 else d if d in (*FLOATING, dtypes.complex64, dtypes.complex128) \
            else dtypes.bfloat16
        assert minigrad.promote_types(minigrad.bfloat16, d) is minigrad.promote_types(d, minigrad.bfloat16) is wanted
        assert (bfloat16(1.0) * minigrad.ones(1, dtype=d)).dtype is wanted
    assert {(bfloat16(1.0) * n).dtype for n in (True, 2, 2.5)} == {minigrad.bfloat16}
    assert (bfloat16(1.0) * 1j).dtype is minigrad.complex64
    assert (bfloat16(1.0) * minigrad.tensor(2.0)).dtype is minigrad.bfloat16  # without dimensions
    assert (minigrad.tensor(2.0, dtype=minigrad.bfloat16) * minigrad.ones(1, dtype=minigrad.int64)).dtype is minigrad.bfloat16
    assert minigrad.result_type(bfloat16(1.0), minigrad.tensor(1j)) is minigrad.complex64


@pytest.mark.parity
@pytest.mark.parametrize("default", ["float32", "bfloat16"])
def test_promotion_is_pytorchs(default: str) -> None:
    """Of every dtype, with dimensions and without, and of Python's numbers, with bfloat16 and with each other."""
    torch = pytest.importorskip("torch")

    def results(library: Any) -> list[str]:
        names = [d.name for d in dtypes.ALL if not d.name.startswith("uint") or d is dtypes.uint8]  # the wide ones it refuses
        tensors = [library.ones(shape, dtype=getattr(library, d)) for d in names for shape in ((), (2,))]
        return [str(library.result_type(x, y)).split(".")[1]
                for x, y in [*itertools.product(tensors, tensors), *itertools.product(tensors, (True, 2, 2.5, 1j))]]

    for library in (torch, minigrad):
        library.set_default_dtype(getattr(library, default))
    try:
        assert results(minigrad) == [name.replace("complex32", "complex64") for name in results(torch)]  # which NumPy has not
    finally:
        for library in (torch, minigrad):
            library.set_default_dtype(library.float32)


def test_a_python_number_is_not_rounded_first() -> None:
    x = bfloat16(1.0, 100.0)
    assert (x * 1.003).tolist() == narrow(np.array([1.003, 100.3], np.float32)).tolist()
    assert (x * 1.003)[1].item() != (x * bfloat16(1.003))[1].item()
    for d in (minigrad.float32, minigrad.float64):
        assert (x * minigrad.tensor(1.003, dtype=d)).tolist() == (x * 1.003).tolist()
    y = bfloat16(1.0, 100.0, requires_grad=True)
    (y * 1.003 * bfloat16(1.0, 64.0)).sum().backward()
    assert y.grad.tolist() == narrow(np.array([1.003, 64.192], np.float32)).tolist()


def test_numbers_on_the_left() -> None:
    x = bfloat16(1.0, 2.0)
    for found in (2.5 ** x, 1 - x, 1.5 / x, minigrad.where(x > 1, 0.5, x), minigrad.pow(2.5, x), minigrad.xlogy(2, x), 7 // x):
        assert found.dtype is minigrad.bfloat16
    assert (2.003 ** x).tolist() == narrow(np.array([2.003, 2.003**2], np.float32)).tolist()


def test_conversions() -> None:
    numbers = [1.7, -2.9, 0.0, 300.0]
    x = bfloat16(*numbers)
    assert x.bfloat16() is x and x.type() == "minigrad.BFloat16Tensor" and x.is_floating_point() and x.element_size() == 2
    for d in dtypes.ALL:
        x_in_d = minigrad.tensor([1, 0, 1]).to(d)
        back = (x_in_d.real if d.is_complex else x_in_d).bfloat16()
        assert back.dtype is minigrad.bfloat16 and back.tolist() == [1.0, 0.0, 1.0]
    assert x.int().tolist() == [1, -2, 0, 300] and x.bool().tolist() == [True, True, False, True]
    assert x.double().tolist() == x.tolist() == [1.703125, -2.90625, 0.0, 300.0]
    assert x.to(minigrad.complex64).real.tolist() == x.tolist()
    assert x.half().dtype is minigrad.float16 and x[0].item() == 1.703125 and float(x[1]) == -2.90625
    assert minigrad.tensor(numbers).to(x).dtype is minigrad.bfloat16
    assert minigrad.tensor([1.0]).to("cpu", dtype="bfloat16").dtype is minigrad.bfloat16
    assert minigrad.tensor([1e39, -1e39]).bfloat16().tolist() == [float("inf"), float("-inf")]
    assert minigrad.BFloat16Tensor([1.0, 2.0]).dtype is minigrad.bfloat16 and isinstance(x, minigrad.BFloat16Tensor)
    assert x.view(minigrad.int16).view(minigrad.bfloat16).tolist() == x.tolist()


def test_numpy_arrays_of_it_share_their_memory() -> None:
    array = np.array([1.0, 2.0], BFLOAT16)
    x = minigrad.from_numpy(array)
    x += 1
    assert array.tolist() == [2.0, 3.0] and np.shares_memory(x.numpy(), array)
    assert minigrad.exp(array).dtype == minigrad.matmul(array, array).dtype == BFLOAT16  # arrays in, array out
    assert minigrad.matmul(array, array) == 13.0
    assert minigrad.tensor([[array], [array]]).dtype is minigrad.bfloat16


@pytest.mark.parity
def test_it_is_shared_with_pytorch() -> None:
    torch = pytest.importorskip("torch")
    x, t = minigrad.arange(6.0).bfloat16().reshape(2, 3).t(), torch.ones(2, dtype=torch.bfloat16)
    theirs, ours = torch.from_dlpack(x), minigrad.from_dlpack(t)
    assert theirs.dtype is torch.bfloat16 and theirs.tolist() == x.tolist() and ours.dtype is minigrad.bfloat16
    theirs += 1
    ours += 1
    assert theirs.tolist() == x.tolist() == [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]] and t.tolist() == [2.0, 2.0]


def test_its_memory_is_shared_by_capsules() -> None:
    x = bfloat16(1.0, 2.0)
    for y in (minigrad.from_dlpack(x), minigrad.from_dlpack(minigrad.to_dlpack(x))):
        y += 1
    assert y.dtype is minigrad.bfloat16 and x.tolist() == y.tolist() == [3.0, 4.0]


def test_it_stays_in_host_memory() -> None:
    with pytest.raises(DeviceError, match=r"bfloat16 is in host memory only, not on device 'standin': convert it with .half\(\)"):
        bfloat16(1.0).to("standin")
    for make in (lambda: minigrad.ones(2, device="standin").bfloat16(),
                 lambda: minigrad.zeros(2, device="standin", dtype=minigrad.bfloat16)):
        with pytest.raises(DeviceError, match="bfloat16 is in host memory only"):
            make()


def test_closeness() -> None:
    x = minigrad.ones(2, dtype=minigrad.bfloat16)
    minigrad.testing.assert_close(x, x * 1.01)
    with pytest.raises(AssertionError, match="not close"):
        minigrad.testing.assert_close(x, x * 1.03)
    assert minigrad.allclose(x, x) and x.equal(x)


def test_creation() -> None:
    options = {"dtype": minigrad.bfloat16}
    made = [minigrad.zeros(2, **options), minigrad.ones(2, **options), minigrad.full((2,), 0.1, **options),
            minigrad.empty(2, **options), minigrad.eye(2, **options), minigrad.arange(0, 1, 0.3, **options),
            minigrad.linspace(0, 1, 5, **options), minigrad.logspace(0, 1, 3, **options), minigrad.rand(5, **options),
            minigrad.randn(5, **options), minigrad.randint(0, 5, (3,), **options), minigrad.zeros_like(bfloat16(1.0)),
            bfloat16(1.0).new_full((2,), 3.5), minigrad.as_tensor([1.5], **options), minigrad.normal(0.0, 1.0, (3,), **options)]
    assert {x.dtype for x in made} == {minigrad.bfloat16}
    assert minigrad.arange(0, 1, 0.3, **options).tolist() == narrow(np.array([0, 0.3, 0.6, 0.9], np.float32)).tolist()
    drawn = minigrad.rand(2000, **options)
    assert 0 <= drawn.min() and drawn.max() < 1 and len(drawn.unique()) > 200
    assert bfloat16(*[0.0] * 2000).uniform_().max() < 1
    assert {x.item() for x in bfloat16(0.5, 0.5, 0.5).bernoulli()} <= {0.0, 1.0}
    assert minigrad.multinomial(bfloat16(0.0, 1.0, 0.0), 4, replacement=True).tolist() == [1, 1, 1, 1]
    assert bfloat16(*[0.0] * 500).random_().max() <= 2**8


def test_it_can_be_the_default() -> None:
    minigrad.set_default_dtype(minigrad.bfloat16)
    try:
        assert minigrad.tensor([1.0]).dtype is minigrad.zeros(1).dtype is minigrad.randn(1).dtype is minigrad.bfloat16
        assert minigrad.tensor(1j).dtype is minigrad.complex64 and repr(minigrad.ones(1)) == "tensor([1.])"
        assert (minigrad.ones(1, dtype=minigrad.int64) / 2).dtype is minigrad.bfloat16
        assert nn.Linear(2, 2)(minigrad.ones(1, 2)).dtype is minigrad.bfloat16
    finally:
        minigrad.set_default_dtype(minigrad.float32)


def test_limits() -> None:
    info = minigrad.finfo(minigrad.bfloat16)
    assert (info.bits, info.eps, info.tiny, info.resolution, info.dtype) == (16, 2**-7, 2**-126, 0.01, "bfloat16")
    assert info.max == -info.min == (2 - 2**-7) * 2.0**127
    assert repr(info) == ("finfo(resolution=0.01, min=-3.38953e+38, max=3.38953e+38, eps=0.0078125, smallest_normal=1.17549e-38, "
                          "tiny=1.17549e-38, dtype=bfloat16)")
    assert bfloat16(float("inf"), float("nan")).nan_to_num().tolist() == [info.max, 0.0]
    assert minigrad.nextafter(bfloat16(1.0), bfloat16(2.0)).item() == 1 + 2**-7


def test_printing() -> None:
    assert repr(bfloat16(1.1, 2.0)) == "tensor([1.1016, 2.0000], dtype=minigrad.bfloat16)"
    assert repr(bfloat16(1.0, float("nan"), float("inf"))) == "tensor([1., nan, inf], dtype=minigrad.bfloat16)"
    assert repr(bfloat16(1e-5, requires_grad=True) * 2) == \
        "tensor([2.0027e-05], dtype=minigrad.bfloat16, grad_fn=<MulBackward0>)"
    assert f"{bfloat16(1.1)[0]:.2f}" == "1.10" and repr(minigrad.bfloat16) == "minigrad.bfloat16"


def test_files() -> None:
    file, x = io.BytesIO(), minigrad.arange(6.0).bfloat16().reshape(2, 3).t()
    minigrad.save({"x": x, "dtype": minigrad.bfloat16, "array": x.numpy()}, file)
    file.seek(0)
    read = minigrad.load(file)
    assert read["x"].dtype is read["dtype"] is minigrad.bfloat16 and read["x"].tolist() == read["array"].tolist() == x.tolist()
    for again in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert again.array.dtype is x.array.dtype and (again + 1).tolist() == (x + 1).tolist()


def test_writes_in_place() -> None:
    x = minigrad.zeros(2, 3, dtype=minigrad.bfloat16)
    x[0] = 1.003
    x[:, 1].add_(1.003).mul_(100)
    x[x > 150] = minigrad.tensor(7.5)
    x.index_add_(0, minigrad.tensor([0, 0]), minigrad.ones(2, 3, dtype=minigrad.bfloat16))
    assert x.tolist() == [[3.0, 9.5, 3.0], [0.0, 100.0, 0.0]]
    w = bfloat16(1.0, 2.0, requires_grad=True)
    y = w * 2
    y[0].mul_(3)
    y.sum().backward()
    assert w.grad.tolist() == [6.0, 2.0]
    minigrad.add(bfloat16(1.0), 1.003, out=x[0, :1])
    assert x[0, 0].item() == 2.0


# ---------------------------------------------------------------------------------------------------- training

@pytest.mark.parity
@pytest.mark.parametrize("model", ["mlp", "transformer"])
def test_training_is_pytorchs(model: str) -> None:
    """The same numbers to begin with, and losses that go down together."""
    torch = pytest.importorskip("torch")

    def train(library: Any) -> list[float]:
        def tensor(a: Any) -> Any:
            return library.tensor(a).to(library.bfloat16)
        n = library.nn
        net = n.Sequential(n.Linear(8, 32), n.GELU(), n.LayerNorm(32), n.Linear(32, 8)) if model == "mlp" else \
            n.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        net = net.to(library.bfloat16)
        rng = np.random.default_rng(0)
        with library.no_grad():
            for p in net.parameters():
                p.copy_(tensor(rng.normal(0, 0.3, tuple(p.shape))))
        x, target = tensor(rng.standard_normal((4, 6, 8))), tensor(rng.standard_normal((4, 6, 8)))
        optimizer = library.optim.AdamW(net.parameters(), lr=1e-2)
        losses = []
        for _ in range(20):
            optimizer.zero_grad()
            loss = n.functional.mse_loss(net(x), target)
            loss.backward()
            n.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        assert loss.dtype is library.bfloat16 and {p.grad.dtype for p in net.parameters()} == {library.bfloat16}
        return losses

    ours, theirs = train(minigrad), train(torch)
    np.testing.assert_allclose(ours, theirs, rtol=0.03)
    assert ours[-1] < 0.8 * ours[0]


@pytest.mark.parity
def test_training_under_autocast_goes_with_pytorch() -> None:
    """There the products are of bfloat16, here of float32: the losses differ by its precision."""
    torch = pytest.importorskip("torch")

    def train(library: Any) -> list[float]:
        n, rng = library.nn, np.random.default_rng(0)
        net = n.Sequential(n.Linear(8, 32), n.Tanh(), n.Linear(32, 8))
        with library.no_grad():
            for p in net.parameters():
                p.copy_(library.tensor(rng.normal(0, 0.3, tuple(p.shape))))
        x, target = (library.tensor(rng.standard_normal((16, 8)).astype(np.float32)) for _ in range(2))
        optimizer, losses = library.optim.Adam(net.parameters(), lr=1e-2), []
        for _ in range(20):
            optimizer.zero_grad()
            with library.autocast("cpu", dtype=library.bfloat16):
                loss = n.functional.mse_loss(net(x).float(), target)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that operations keep their dtypes
        ours = train(minigrad)
    np.testing.assert_allclose(ours, train(torch), rtol=0.03)


# ---------------------------------------------------------------------------------------------------- loading

def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_only_its_use_loads_it_and_changes_the_call_paths() -> None:
    out = run("""if True:
        import sys, minigrad
        minigrad.bfloat16, minigrad.bfloat16.itemsize, minigrad.bfloat16.is_floating_point
        minigrad.promote_types(minigrad.bfloat16, minigrad.float16)
        minigrad.ones(2).mul(3).sum()
        before = minigrad.mul.source
        assert "ml_dtypes" not in sys.modules and "bfloat16" not in before
        minigrad.ones(2).bfloat16()
        assert "ml_dtypes" in sys.modules and "bfloat16" in minigrad.mul.source
        print((minigrad.ones(2).bfloat16() * 3).tolist())
    """)
    assert out == "[3.0, 3.0]\n"


def test_an_array_of_it_from_elsewhere_loads_it() -> None:
    run("""if True:
        import ml_dtypes, numpy, minigrad
        a = numpy.ones(2, ml_dtypes.bfloat16)
        assert minigrad.exp(a).dtype == a.dtype and minigrad.from_numpy(a).dtype is minigrad.bfloat16
    """)


def test_without_ml_dtypes_the_error_says_what_to_install() -> None:
    run("""if True:
        import sys
        sys.modules["ml_dtypes"] = None
        import minigrad
        try:
            minigrad.zeros(2, dtype=minigrad.bfloat16)
        except ImportError as error:
            assert "pip install ml_dtypes" in str(error)
        else:
            raise AssertionError("not raised")
    """)
