"""Tensors of host memory and of GPUs together: what mixes, as in PyTorch, and what says who is where, and what to do."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import _arrays, nn
from minigrad.recording.call import REGISTRY
from tests import checks, fake_cuda, standin
from tests.test_nn_on_device import LAYERS, tensors_in
from tests.test_op_table import CASES, NAMES, drawn

F = nn.functional
GPUS = ["standin:0", "standin:2"]  # the current one, and one that is not


# ---------------------------------------------------------------------------------------------------- numbers in host memory

POINTWISE = [name for name in NAMES if REGISTRY[name].info.broadcasts and len(REGISTRY[name].info.arguments) > 1]


@pytest.mark.filterwarnings("ignore:.*Using a target size")
@pytest.mark.parametrize("gpu", GPUS)
@pytest.mark.parametrize("name", POINTWISE)
def test_tensors_without_dimensions_come_to_a_gpu(name: str, gpu: str) -> None:
    """In every place but one, the result and the gradients are those of host memory, each where it belongs."""
    op, case = REGISTRY[name], CASES[name]
    args, settings = max([*case.examples, *drawn(name)], key=lambda s: sum(a is not None for a in s[0]) + sum(
        min(a.size, 9) for a in s[0] if a is not None))
    for whole in [k for k, a in enumerate(args) if a is not None]:
        given = [None if a is None else np.resize(a, (2, 3) if k == whole else ()).astype(a.dtype) for k, a in enumerate(args)]
        wanted = checks.differentiable(op, given)

        def results(home: str, given: Any = given, whole: int = whole, wanted: Any = wanted) -> list[Any]:
            tensors = [checks.tensor_of(a, k in wanted) for k, a in enumerate(given)]
            tensors[whole] = mg.tensor(given[whole], device=home, requires_grad=whole in wanted)
            with fake_cuda.nothing_changes():
                out = op(*tensors, **settings)
                assert str(out.device) == home
                found = [out]
                if out.requires_grad:
                    weights = np.random.default_rng(1).uniform(-1, 1, out.shape).astype(out.array.dtype)
                    out.backward(mg.tensor(weights, device=home))
                    found += [tensors[k].grad for k in wanted]
                    assert all(t is None or t.grad is None or t.grad.device == t.device for t in tensors)
            return [None if t is None else t.detach().cpu().numpy() for t in found]
        for found, want in zip(results(gpu), results("cpu"), strict=True):
            assert (found is None) == (want is None)
            if found is not None:
                assert found.dtype == want.dtype and found.shape == want.shape
                np.testing.assert_allclose(found, want, rtol=1e-10, atol=1e-12)


def at(gpu: str, *values: Any, dtype: Any = mg.float64, **options: Any) -> Any:
    return mg.tensor([*values], dtype=dtype, device=gpu, **options)


TYPES = [mg.bool, mg.uint8, mg.int32, mg.int64, mg.float16, mg.float32, mg.float64, mg.complex64]


@pytest.mark.parametrize("gpu", GPUS)
def test_the_dtype_is_that_of_numbers(gpu: str) -> None:
    """Promotion knows dimensions, not places."""
    for one in TYPES:
        for other in TYPES:
            here, there = mg.ones(2, dtype=one), mg.ones(2, dtype=one, device=gpu)
            number = mg.ones((), dtype=other)
            assert (there + number).dtype is (number + there).dtype is (here + number).dtype, (one, other)
            assert (there / number).dtype is (here / number).dtype and mg.where(there == 1, there, number).device == there.device
    assert (mg.ones(2, device=gpu) * mg.tensor(2.0, dtype=mg.float64)).dtype is mg.float32
    assert (mg.ones((), device=gpu) * mg.tensor(2.0, dtype=mg.float64)).dtype is mg.float64  # both are numbers


MIXED: dict[str, Callable[[Any, Any], Any]] = {
    "operator": lambda x, n: x * n,
    "swapped": lambda x, n: n - x,
    "power": lambda x, n: x ** n,
    "power, swapped": lambda x, n: n ** x,
    "comparison": lambda x, n: x > n,
    "where": lambda x, n: mg.where(x > n, x, n),
    "where, number first": lambda x, n: mg.where(x > 1, n, x),
    "condition a number": lambda x, n: mg.where(n > 0, x, x + 1),
    "maximum": lambda x, n: mg.maximum(n, x),
    "clamp": lambda x, n: x.clamp(n, n + 1),
    "clamp_min": lambda x, n: x.clamp_min(n),
    "lerp": lambda x, n: x.lerp(x + 1, n),
    "addcmul": lambda x, n: x.addcmul(n, x),
    "value of addcmul": lambda x, n: x.addcmul(x, x, value=n),
    "value of addcdiv": lambda x, n: x.addcdiv(x, x, value=n),
    "alpha": lambda x, n: mg.add(x, x, alpha=n),
    "alpha of addmm": lambda x, n: mg.addmm(x[None], x[None, :1], x[None], alpha=n, beta=n),
    "isclose": mg.isclose,
    "masked_fill": lambda x, n: x.masked_fill(x > 1, n),
    "index_fill": lambda x, n: x.index_fill(0, (x[:1] * 0).long(), n),
    "index_put": lambda x, n: x.index_put(((x[:1] * 0).long(),), n),
    "full_like": mg.full_like,
    "scalar tensor first": mg.mul,
    "searchsorted": lambda x, n: mg.searchsorted(x, n.item()),
    "float_power": lambda x, n: x.float_power(n),
    "true_divide": lambda x, n: mg.true_divide(n, x),
    "floor_divide": lambda x, n: x // n,
    "remainder": lambda x, n: n % x,
    "leaky_relu": lambda x, n: F.leaky_relu(-x, n),
    "xlogy": lambda x, n: mg.xlogy(x, n),
    "logical_and": mg.logical_and,
    "bitwise_and": lambda x, n: x.long() & n.long(),
    "eq": lambda x, n: x == n,
}


@pytest.mark.parametrize("gpu", GPUS)
@pytest.mark.parametrize("what", MIXED)
def test_a_number_in_main_memory_beside_a_gpu(what: str, gpu: str) -> None:
    with fake_cuda.nothing_changes():
        found = MIXED[what](at(gpu, 1.0, 2.0, 3.0), mg.tensor(2.0, dtype=mg.float64))
    want = MIXED[what](at("cpu", 1.0, 2.0, 3.0), mg.tensor(2.0, dtype=mg.float64))
    assert str(found.device) == gpu and found.dtype is want.dtype and found.tolist() == want.tolist()
    assert want.array.flags.writeable


WRITTEN: dict[str, Callable[[Any, Any], Any]] = {
    "mul_": lambda x, n: x.mul_(n),
    "+=": lambda x, n: x.__iadd__(n),
    "add_ with alpha": lambda x, n: x.add_(n, alpha=3),
    "fill_": lambda x, n: x.fill_(n),
    "copy_": lambda x, n: x.copy_(n),
    "masked_fill_": lambda x, n: x.masked_fill_(x > 1, n),
    "index_fill_": lambda x, n: x.index_fill_(0, (x[:1] * 0).long(), n),
    "x[i] = n": lambda x, n: x.__setitem__(1, n),
    "x[...] = n": lambda x, n: x.__setitem__(..., n),
    "x[mask] = n": lambda x, n: x.__setitem__(x > 1, n),
    "x[tensor] = n": lambda x, n: x.__setitem__(mg.tensor([0, 2]), n),
    "clamp_": lambda x, n: x.clamp_(n),
    "index_put_": lambda x, n: x.index_put_((mg.tensor([0]),), n),
    "lerp_": lambda x, n: x.lerp_(x + 1, n),
    "addcmul_": lambda x, n: x.addcmul_(x, n),
    "pow_": lambda x, n: x.pow_(n),
    "fill_diagonal_": lambda x, n: x[None].fill_diagonal_(n),
}


@pytest.mark.parametrize("gpu", GPUS)
@pytest.mark.parametrize("what", WRITTEN)
def test_a_number_in_main_memory_written_to_a_gpu(what: str, gpu: str) -> None:
    results = []
    for device in (gpu, "cpu"):
        leaf = at(device, 1.0, 2.0, 3.0, requires_grad=True)
        number = mg.tensor(2.0, dtype=mg.float64, requires_grad=what != "fill_diagonal_")
        x = leaf * 1
        with fake_cuda.nothing_changes():
            WRITTEN[what](x, number)
            (x * x).sum().backward()
        assert str(x.device) == str(leaf.grad.device) == device and (number.grad is None or number.grad.is_cpu)
        results.append([x.tolist(), leaf.grad.tolist(), None if number.grad is None else number.grad.tolist()])
    assert results[0] == results[1]


def test_whole_tensors_are_copied_across_devices_by_assignment() -> None:
    """``x[i] = y`` is a copy where `i` gives a view, as in PyTorch: gradients flow back to where `y` is."""
    y = at("standin:2", 5.0, 6.0, requires_grad=True)
    for x in (at("cpu", 1.0, 2.0, 3.0), at("standin:1", 1.0, 2.0, 3.0)):
        x[1:] = y
        assert x.tolist() == [1.0, 5.0, 6.0]
        (x * x).sum().backward()
    assert y.grad.tolist() == [20.0, 24.0] and str(y.grad.device) == "standin:2"
    x = at("standin:2", 1.0, 2.0)
    x[0] = mg.tensor([9.0])
    assert x.tolist() == [9.0, 2.0]


X, Y, N = mg.ones(2, 2, device="standin"), mg.ones(2, 2), mg.tensor(2.0)
M = mg.tensor(2.0, device="standin")
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a number on a GPU": (lambda: Y * M, r"mul: .*'input' is on cpu and 'other' is on standin:0.*other\.to\('cpu'\)"),
    "a number on another GPU": (lambda: X * M.to("standin:1"), "mul: .*'input' is on standin:0 and 'other' is on standin:1"),
    "one element, but dimensions": (lambda: X * mg.ones(1), "mul: .*'input' is on standin:0 and 'other' is on cpu"),
    "in place into host memory": (lambda: Y.clone().mul_(M), "mul: .*'input' is on cpu and 'other' is on standin:0"),
    "in place into a number": (lambda: N.clone().mul_(M), r"mul_: .*the result is on standin:0 and 'self' is on cpu.*self\.to"),
    "in place into a number, of a matrix": (lambda: N.clone().mul_(X[:1, 0].sum()), "mul_: .*the result is on standin:0"),
    "out=": (lambda: mg.mul(N, M, out=mg.ones(())), r"mul\(\): .*the result is on standin:0 and 'out' is on cpu"),
    "where": (lambda: mg.where(Y > 0, N, M), "where: .*cpu.*standin:0"),
    "matmul": (lambda: X @ Y, "matmul: .*standin:0.*cpu"),
    "dot": (lambda: mg.dot(X[0], Y[0]), "dot: .*standin:0.*cpu"),
    "cat": (lambda: mg.cat([X, Y]), "cat: .*standin:0.*cpu"),
    "stack": (lambda: mg.stack([M, N]), r"stack: .*'tensors\[0\]' is on standin:0 and 'tensors\[1\]' is on cpu"),
    "outer": (lambda: mg.outer(X[0], Y[0]), "outer: .*standin:0.*cpu"),
    "addmm": (lambda: mg.addmm(N, X, X), "addmm: .*cpu.*standin:0"),
    "index_put": (lambda: X.index_put((mg.tensor([0]),), Y[0]), "index_put: .*'input' is on standin:0 and 'value' is on cpu"),
    "x[tensor] = y": (lambda: X.clone().__setitem__(mg.tensor([0]), Y[:1]), "index_put: .*standin:0.*'value' is on cpu"),
    "index on a GPU": (lambda: Y[mg.tensor([0], device="standin")], "indices should be either on cpu or"),
    "mask of another device": (lambda: X.masked_fill(Y > 0, 1.0), "masked_fill: .*'input' is on standin:0 and 'mask' is on cpu"),
    "gather": (lambda: X.gather(0, mg.tensor([[0]])), "gather: .*'input' is on standin:0 and 'index' is on cpu"),
    "index_select": (lambda: X.index_select(0, mg.tensor([0])), "index_select: .*'input' is on standin:0 and 'index' is on cpu"),
    "take": (lambda: X.take(mg.tensor([0])), "'input' is on standin:0 and 'index' is on cpu"),
    "repeat_interleave": (lambda: X.repeat_interleave(mg.tensor([1, 2]), 0), "standin:0.*cpu"),
    "quantile": (lambda: X.quantile(mg.tensor([0.5])), "cpu.*standin:0"),
    "segment_reduce": (lambda: mg.segment_reduce(X, "sum", lengths=mg.tensor([1, 1])), "standin:0.*cpu"),
    "searchsorted": (lambda: mg.searchsorted(X[0], Y[0]), "searchsorted: .*standin:0.*cpu"),
    "masked_select": (lambda: X.masked_select(Y > 0), "standin:0.*cpu"),
    "bernoulli_": (lambda: X.clone().bernoulli_(Y / 2), "standin:0.*cpu"),
    "equal": (lambda: mg.equal(X, Y), "standin:0.*cpu"),
    "allclose": (lambda: mg.allclose(X, Y), "isclose: .*standin:0.*cpu"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what: str) -> None:
    call, message = REFUSED[what]
    with pytest.raises(RuntimeError, match=message) as caught:
        call()
    assert "expected all tensors on the same device" in str(caught.value) or "indices should be" in str(caught.value)


# ---------------------------------------------------------------------------------------------------- modules and inputs

@pytest.mark.parametrize("places", [("cpu", "standin:0"), ("standin:0", "cpu"), ("cpu", "standin:2"), ("standin:1", "standin:2")])
@pytest.mark.parametrize("name", [name for name in LAYERS if name != "CTCLoss"])
def test_a_layer_and_an_input_on_two_devices(name: str, places: tuple[str, str]) -> None:
    """The error names the operation, two operands and where they are, and says how to move the module and the input."""
    make, arguments = LAYERS[name]
    module, args = make().double().to(places[0]), [a.detach().to(places[1]) for a in arguments()]
    state = [*module.parameters(), *module.buffers()]
    if not state and len(args) == 1:
        assert all(str(t.device) == places[1] for t in tensors_in(module(*args)))  # it goes where its input is
        return
    if not state:
        args[0] = args[0].to(places[0])
    before = copy.deepcopy(module.state_dict())
    with fake_cuda.nothing_changes(), pytest.raises(RuntimeError) as caught:
        module(*args)
    message = str(caught.value)
    first, second = [f"is on {p}" for p in places]
    assert "expected all tensors on the same device, but '" in message and first in message and second in message
    assert f".to('{places[0]}')" in message or f".to('{places[1]}')" in message
    note = caught.value.__notes__[0]
    assert note.startswith("in ")
    if state:
        assert f"the module is on {places[0]}, its arguments are on {places[1]}: model.to('{places[1]}') moves the model, " \
               f"x.to('{places[0]}') a tensor" in note
    assert all(mg.equal(t, before[key]) for key, t in module.state_dict().items() if key != "num_batches_tracked")
    module.to(places[1])(*[a.to(places[1]) for a in args])


def test_targets_of_ctc_may_be_anywhere() -> None:
    """They are read in host memory, as PyTorch reads their lengths."""
    make, arguments = LAYERS["CTCLoss"]
    scores, *rest = arguments()
    want = make()(scores, *rest)
    for places in (("cpu", "standin:0"), ("standin:0", "cpu"), ("standin:1", "standin:2")):
        assert make()(scores.to(places[0]), *[t.to(places[1]) for t in rest]).item() == pytest.approx(want.item(), rel=1e-12)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adagrad", "RMSprop", "Adadelta", "ASGD",
                                  "Rprop", "Adafactor", "Muon"])
@pytest.mark.parametrize("places", [("cpu", "standin:0"), ("standin:1", "standin:2")])
def test_state_of_an_optimizer_on_another_device(name: str, places: tuple[str, str]) -> None:
    p = nn.Parameter(mg.ones(2, 2, device=places[0]))
    optimizer = getattr(mg.optim, name)([p], **({"momentum": 0.9} if name == "SGD" else {}))
    p.grad = mg.ones_like(p)
    optimizer.step()
    p.data = p.data.to(places[1])
    with pytest.raises(RuntimeError, match=f"{name}.step: .*parameter 0 is on {places[1]} and its gradient is on {places[0]}"):
        optimizer.step()
    p.grad = None
    p.grad = mg.ones_like(p)
    with pytest.raises(RuntimeError, match=rf"{name}.step: .*parameter 0 is on {places[1]} and its state .* is on {places[0]}"):
        optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    optimizer.step()
    assert str(p.device) == places[1] and p.isfinite().all()


def test_state_dictionaries_and_files_cross_devices(tmp_path: Any) -> None:
    for source in ("cpu", *GPUS, "standin:1"):
        net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).to(source)
        net(mg.randn(4, 2, device=source))
        mg.save(net.state_dict(), tmp_path / "net")
        for target in ("cpu", *GPUS):
            other = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).to(target)
            kept = other[0].weight
            other.load_state_dict(net.state_dict())
            assert other[0].weight is kept and {str(t.device) for t in other.state_dict().values()} == {target}
            assert all(mg.equal(a.cpu(), b.cpu()) for a, b in zip(net.state_dict().values(), other.state_dict().values()))
            with mg.no_grad():
                net[0].weight += 1  # a copy was made
            assert not mg.equal(net[0].weight.cpu(), other[0].weight.cpu())
            for where in (target, mg.device(target), {source: target}, lambda t, place, target=target: t.to(target)):
                loaded = mg.load(tmp_path / "net", map_location=where)
                assert {str(t.device) for t in loaded.values()} == {target}
        assert {str(t.device) for t in mg.load(tmp_path / "net").values()} == {source}
        assert {str(t.device) for t in mg.load(tmp_path / "net", map_location=lambda t, place: None).values()} == {source}
        assert mg.load(tmp_path / "net", map_location=lambda t, place: t)["0.weight"].is_cpu


def test_a_file_from_a_device_that_is_not_there(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    mg.save(mg.ones(2, device="standin:2"), tmp_path / "x")
    monkeypatch.setattr(_arrays.library_on(standin.DEVICE).gpus, "_count", 1)
    with pytest.raises(RuntimeError, match="load: .*saved on device 'standin:2': .*does not exist.*map_location='cpu'"):
        mg.load(tmp_path / "x")
    assert mg.load(tmp_path / "x", map_location="cpu").tolist() == [1.0, 1.0]


@standin.of_itself
def test_with_one_gpu_it_is_the_same() -> None:
    """The call paths are others then."""
    program = """
from tests import fake_cuda
fake_cuda.COUNT = 1
import minigrad as mg
from tests import test_mixed_devices as test
assert mg._arrays.accelerator_count() == 1
for what in test.MIXED:
    test.test_a_number_in_main_memory_beside_a_gpu(what, "standin:0")
for what in test.WRITTEN:
    test.test_a_number_in_main_memory_written_to_a_gpu(what, "standin:0")
for what in test.REFUSED:
    if what != "a number on another GPU":
        test.test_refused(what)
for name in test.LAYERS:
    if name != "CTCLoss":
        test.test_a_layer_and_an_input_on_two_devices(name, ("cpu", "standin:0"))
mg.exp(mg.ones(1))
assert "needs_device_guard" in mg.mul.source and "needs_device_guard" not in mg.exp.source
"""
    subprocess.run([sys.executable, "-c", program], check=True)
