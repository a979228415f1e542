"""Several GPUs: what is computed with the tensors of one is computed there, whichever GPU is the current one.

The stand-in's GPUs are as strict as CuPy's: every function refuses an array that is not on the current GPU, and makes its
results on that.
"""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any, Callable, Iterator

import numpy as np
import pytest

import minigrad as mg
from tests import fake_cuda, standin

ZERO, ONE, TWO = "standin:0", "standin:1", "standin:2"


@pytest.fixture(autouse=True)
def the_current_gpu_stays() -> Iterator[None]:
    with fake_cuda.nothing_changes():
        yield


def on(device: str, *values: Any, **options: Any) -> Any:
    return mg.tensor(*values, dtype=mg.float64, device=device, **options)


# ---------------------------------------------------------------------------------------------------- operations

CALLS: dict[str, Callable[[Any], Any]] = {
    "one operand": lambda x: x.exp(),
    "two operands": lambda x: x * x,
    "a number": lambda x: x * 2,
    "a number on the left": lambda x: 2 - x,
    "a large number": lambda x: x * 1e6,
    "an array": lambda x: mg.add(x, x.array),
    "another dtype": lambda x: x.float() + x,
    "integers": lambda x: x.int() / 2,
    "a sequence": lambda x: mg.cat([x, x.float()]),
    "several results": lambda x: x.max(0)[0],
    "a reduction": lambda x: x.sum(),
    "a comparison": lambda x: (x > 1).double(),
    "a view": lambda x: x.T,
    "a view of a view": lambda x: x.T[1:],
    "a product": lambda x: x @ x.T,
    "in place": lambda x: x.clone().mul_(2).add_(x),
    "in place, of a view": lambda x: x.clone()[0].exp_(),
    "in place, by an operator": lambda x: x.clone().__iadd__(1),
    "out=": lambda x: mg.mul(x.detach(), 2, out=mg.empty_like(x)),
}


@pytest.mark.parametrize("what", CALLS)
def test_an_operation_computes_where_its_operands_are(what: str) -> None:
    values = [[1.0, 2.0], [3.0, 5.0]]
    found, want = CALLS[what](on(TWO, values)), CALLS[what](mg.tensor(values, dtype=mg.float64))
    assert str(found.device) == TWO and found.dtype is want.dtype
    np.testing.assert_array_equal(found.cpu().numpy(), want.numpy())


def test_arrays_by_themselves_are_computed_with_where_they_are() -> None:
    x = on(ONE, [1.0, 2.0]).array
    for found in (mg.exp(x), mg.mul(x, x), mg.add(x, 1.0), mg.cat([x, x])):
        assert isinstance(found, standin.ndarray) and found.device.id == 1


def test_operands_on_two_gpus_are_refused() -> None:
    x, y = on(ONE, [1.0]), on(TWO, [1.0])
    for call in (lambda: x * y, lambda: mg.cat([x, y]), lambda: x @ y, lambda: x.clone().add_(y), lambda: x + on(ZERO, [1.0]),
                 lambda: on(ZERO, [1.0]) + x, lambda: x * on(TWO, 1.0), lambda: mg.nn.functional.linear(x, x[None], y)):
        with pytest.raises(RuntimeError, match=r"expected all tensors on the same device, but '.*' is on standin:\d and '.*' is "
                                               r"on standin:\d; move one, for instance .*\.to\('standin:\d'\)"):
            call()


@standin.of_itself
def test_a_process_without_gpus_pays_nothing() -> None:
    program = """
import minigrad.library  # which declares every operation
from minigrad.recording.call import REGISTRY
for op in REGISTRY.values():
    op.info.complete()
from minigrad.recording.operators import operator_form
before = {name: (op.source, operator_form(op).source) for name, op in REGISTRY.items()}
assert not any("needs_device_guard" in source for pair in before.values() for source in pair)
from tests import standin
for name, op in REGISTRY.items():
    if op.info.variadic:  # which on GPUs take the general path
        assert "return general(*" in op.source
        continue
    for source, found in zip(before[name], (op.source, operator_form(op).source)):
        lines = found.splitlines()
        added = [line for line in lines if "needs_device_guard" in line]
        assert len(added) == 1 and [line for line in lines if line not in added] == source.splitlines()
"""
    subprocess.run([sys.executable, "-c", program], check=True)


# ---------------------------------------------------------------------------------------------------- derivatives

def test_a_backward_pass_runs_where_the_gradients_are() -> None:
    def gradients(first: str, second: str) -> list[Any]:
        x = on(first, [1.0, 2.0], requires_grad=True)
        w = on(second, [[1.0, 3.0], [2.0, 1.0]], requires_grad=True)
        h = (x * x).to(second)
        out = (w @ h + h * h).tanh().to(first) * x + x  # h and x are reached by several ways
        out.sum().backward()
        out = (w @ x.to(second)).sum()
        out.backward()  # adds to what is there
        assert str(x.grad.device) == first and str(w.grad.device) == second
        return [x.grad.cpu().numpy(), w.grad.cpu().numpy()]
    want = gradients("cpu", "cpu")
    for first, second in ((ONE, ONE), (ONE, TWO), (TWO, ZERO), (ZERO, ONE), ("cpu", TWO)):
        for a, b in zip(gradients(first, second), want):
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_second_derivatives_cross_gpus() -> None:
    def second(first: str, other: str) -> Any:
        x = on(first, [1.0, 2.0], requires_grad=True)
        y = (x.exp().to(other) * x.to(other) ** 2).to(first).sin().sum()
        g, = mg.autograd.grad(y, x, create_graph=True)
        (g * g).sum().backward()
        assert str(g.device) == str(x.grad.device) == first
        return x.grad.cpu().numpy()
    for first, other in ((ONE, TWO), (ZERO, ONE), ("cpu", TWO)):
        np.testing.assert_allclose(second(first, other), second("cpu", "cpu"), rtol=1e-12)


# ---------------------------------------------------------------------------------------------------- functions composed of them

X = [[1.0, -2.0, 3.0], [0.5, 5.0, -1.0], [2.0, 0.25, 4.0]]
F, linalg = mg.nn.functional, mg.linalg


def places(x: Any, *values: int) -> Any:
    return mg.tensor(values, device=x.device)


def written(x: Any, index: Any, value: Any) -> Any:
    y = x.clone()
    y[index] = value
    return y


COMPOSED: dict[str, Callable[[Any], Any]] = {
    "x[tensor]": lambda x: x[places(x, 2, 0)],
    "x[list]": lambda x: x[[0, 2]],
    "x[mask]": lambda x: x[x > 1],
    "x[cpu tensor]": lambda x: x[mg.tensor([1, 2])],
    "x[:, tensor]": lambda x: x[:, places(x, 1)],
    "x[True]": lambda x: x[True],
    "x[i] = number": lambda x: written(x, 1, 7.0),
    "x[tensor] = number": lambda x: written(x, places(x, 0), 7.0),
    "x[mask] = number": lambda x: written(x.detach(), x > 1, 7),
    "x[i] = tensor": lambda x: written(x, 0, x[1]),
    "x[:, list] = tensor": lambda x: written(x, (slice(None), [2]), x[:, :1]),
    "index_put": lambda x: x.index_put((places(x, 1),), x[0], accumulate=True),
    "index_fill": lambda x: x.index_fill(0, places(x, 1), 3),
    "index_add": lambda x: x.index_add(0, places(x, 1), x[:1]),
    "index_reduce": lambda x: x.index_reduce(0, places(x, 1), x[:1], "prod"),
    "scatter": lambda x: x.scatter(1, places(x, 0, 1, 2)[:, None], 9.0),
    "gather": lambda x: x.gather(0, (x > 0).long()),
    "scatter_reduce": lambda x: x.scatter_reduce(0, (x > 0).long(), x, "amax"),
    "take": lambda x: x.take(places(x, 5, 0)),
    "take_along_dim": lambda x: x.take_along_dim((x > 0).long(), 0),
    "put": lambda x: x.put(places(x, 4), x[0, :1]),
    "masked_fill": lambda x: x.masked_fill(x > 1, 0),
    "masked_select": lambda x: x.masked_select(x > 0),
    "masked_scatter": lambda x: x.masked_scatter(x > 0, x + 1),
    "fill_diagonal_": lambda x: x.clone().fill_diagonal_(3),
    "repeat_interleave": lambda x: x.repeat_interleave(places(x, 1, 2, 0), 0),
    "combinations": lambda x: mg.combinations(x[0]),
    "as_strided": lambda x: x.as_strided((2, 2), (1, 2)),
    "as_strided_scatter": lambda x: x.as_strided_scatter(x[:2, 0], (2,), (4,)),
    "resize_": lambda x: x.detach().clone().resize_(2, 6),
    "nonzero": lambda x: (x > 1).nonzero(),
    "isin": lambda x: mg.isin(x, x[0]),
    "unique": lambda x: x.unique(),
    "diag": lambda x: x[0].diag(),
    "where": lambda x: mg.where(x > 0, x, 0.5),
    "clamp": lambda x: x.clamp(0, 2),
    "pow": lambda x: 2 ** x,
    "lerp": lambda x: x.lerp(x + 1, 0.3),
    "einsum": lambda x: mg.einsum("ij,kj->ik", x, x),
    "cumsum": lambda x: x.cumsum(0),
    "quantile": lambda x: x.quantile(0.3, 0),
    "nanquantile": lambda x: x.nanquantile(0.3),
    "median": lambda x: x.median(),
    "std": lambda x: x.std(0),
    "cov": lambda x: x.cov(),
    "cov, weighted": lambda x: x.cov(aweights=x[0].abs()),
    "corrcoef": lambda x: x.corrcoef(),
    "histc": lambda x: x.histc(4),
    "bucketize": lambda x: mg.bucketize(x, x[0].sort()[0]),
    "searchsorted": lambda x: mg.searchsorted(x[0].sort()[0], 1.5),
    "segment_reduce": lambda x: mg.segment_reduce(x, "mean", lengths=places(x, 1, 2)),
    "bincount": lambda x: (x > 0).long()[0].bincount(),
    "histogram": lambda x: x.detach().histogram(3)[0],
    "trapezoid": lambda x: mg.trapezoid(x, dx=0.5),
    "cdist": lambda x: mg.cdist(x, x + 1),
    "norm": lambda x: x.norm(3, 0),
    "renorm": lambda x: x.renorm(2, 0, 1.0),
    "linalg.cond": lambda x: linalg.cond(x),
    "linalg.cond, 1": lambda x: linalg.cond(x, 1),
    "linalg.inv_ex": lambda x: linalg.inv_ex(x)[0],
    "linalg.lstsq": lambda x: linalg.lstsq(x, x[:, :1])[0],
    "linalg.lu_factor_ex": lambda x: linalg.lu_factor_ex(x)[0],
    "linalg.pinv": lambda x: linalg.pinv(x),
    "linalg.matrix_rank": lambda x: linalg.matrix_rank(x),
    "linalg.svd": lambda x: linalg.svd(x)[1],
    "linalg.matrix_power": lambda x: linalg.matrix_power(x, 3),
    "linalg.multi_dot": lambda x: linalg.multi_dot([x, x, x]),
    "linalg.matrix_exp": lambda x: linalg.matrix_exp(x / 5),
    "linalg.eigh": lambda x: linalg.eigh(x + x.T)[0],
    "pad": lambda x: F.pad(x[None], (1, 1), "reflect"),
    "one_hot": lambda x: F.one_hot((x > 0).long()),
    "tril": lambda x: x.tril(),
    "roll": lambda x: x.roll(1, 0),
    "kron": lambda x: mg.kron(x, x),
    "tensordot": lambda x: mg.tensordot(x, x, 1),
    "scaled_dot_product_attention": lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True),
    "grid_sample": lambda x: F.grid_sample(x[None, None], x[None, :2, :2, None].expand(1, 2, 2, 2) / 9, align_corners=False),
    "interpolate": lambda x: F.interpolate(x[None, None], scale_factor=2.0, mode="bilinear"),
    "gaussian_nll_loss": lambda x: F.gaussian_nll_loss(x, x + 1, x.abs() + 1),
    "embedding": lambda x: F.embedding(places(x, 1, 0), x),
    "embedding_bag": lambda x: F.embedding_bag(places(x, 1, 0, 2), x, places(x, 0, 2)),
    "cross_entropy": lambda x: F.cross_entropy(x, places(x, 0, 1, 2), label_smoothing=0.1),
    "normalize": lambda x: F.normalize(x),
    "zeros_like": mg.zeros_like,
    "full_like": lambda x: mg.full_like(x, 2),
    "new_ones": lambda x: x.new_ones(2),
    "new_tensor": lambda x: x.new_tensor([1.0]),
    "tensor of a tensor": lambda x: mg.asarray(x.detach(), copy=True),
    "deepcopy": lambda x: copy.deepcopy(x.detach()),
    "copy_": lambda x: mg.zeros_like(x).copy_(x),
    "clone": lambda x: x.clone(),
    "copy_ of the cpu's": lambda x: mg.zeros_like(x).copy_(mg.tensor(X)),
    "fill_": lambda x: x.clone().fill_(2),
    "fill_ with a tensor": lambda x: x.clone().fill_(x[0, 1]),
    "zero_": lambda x: x.clone().zero_(),
    "apply_": lambda x: x.detach().clone().apply_(lambda v: v + 1),
    "complex": lambda x: mg.complex(x, x).abs(),
    "view_as_real": lambda x: mg.view_as_real(mg.complex(x, x)),
    "contiguous": lambda x: x.T.contiguous(),
    "channels_last": lambda x: x.expand(1, 2, 3, 3).contiguous(memory_format=mg.channels_last),
    "set item by item": lambda x: mg.stack([*x]),
    "vmap": lambda x: mg.func.vmap(lambda v: v * v.sum())(x),
    "jacobian": lambda x: mg.autograd.functional.jacobian(mg.sin, x),
    "hessian": lambda x: mg.func.hessian(lambda v: (v ** 3).sum())(x),
    "jvp": lambda x: mg.func.jvp(mg.exp, (x,), (x,))[1],
    "checkpoint": lambda x: mg.utils.checkpoint.checkpoint(lambda v: v.sin() * 2, x, use_reentrant=False),
}


@pytest.mark.parametrize("what", COMPOSED)
def test_a_composed_function_computes_where_its_tensors_are(what: str) -> None:
    def results(device: str) -> list[Any]:
        x = on(device, X, requires_grad=True)
        out = COMPOSED[what](x)
        assert str(out.device) == device
        found = [out.detach().cpu().numpy()]
        if out.requires_grad:
            out.sum().backward()
            assert str(x.grad.device) == device
            found.append(x.grad.cpu().numpy())
        return found
    for found, want in zip(results(TWO), results("cpu"), strict=True):
        np.testing.assert_allclose(found, want, rtol=1e-9, atol=1e-10)


# ---------------------------------------------------------------------------------------------------- random numbers

DRAWN: dict[str, Callable[[Any], Any]] = {
    "rand": lambda x: mg.rand(3, device=x.device),
    "rand, half": lambda x: mg.rand(3, device=x.device, dtype=mg.float16),
    "randn, complex": lambda x: mg.randn(3, device=x.device, dtype=mg.complex128),
    "randint": lambda x: mg.randint(0, 9, (3,), device=x.device),
    "randperm": lambda x: mg.randperm(5, device=x.device),
    "normal": lambda x: mg.normal(1.0, 2.0, (3,), device=x.device),
    "normal of tensors": lambda x: mg.normal(x, x.abs()),
    "rand_like": mg.rand_like,
    "randint_like": lambda x: mg.randint_like(x, 5),
    "new_empty": lambda x: x.new_empty(2).normal_(),
    "bernoulli": lambda x: mg.bernoulli(x.sigmoid()),
    "multinomial": lambda x: mg.multinomial(x.abs(), 2),
    "multinomial, replacing": lambda x: mg.multinomial(x.abs(), 5, replacement=True),
    "poisson": lambda x: mg.poisson(x.abs()),
    "binomial": lambda x: mg.binomial(x.abs().ceil(), x.sigmoid()),
    "uniform_": lambda x: x.clone().uniform_(1, 2),
    "normal_": lambda x: x.clone().normal_(1, 2),
    "bernoulli_": lambda x: x.clone().bernoulli_(0.3),
    "exponential_": lambda x: x.clone().exponential_(2),
    "geometric_": lambda x: x.clone().geometric_(0.5),
    "cauchy_": lambda x: x.clone().cauchy_(),
    "log_normal_": lambda x: x.clone().log_normal_(),
    "random_": lambda x: x.clone().random_(5),
    "dropout": lambda x: F.dropout(x),
    "dropout, in place": lambda x: F.dropout(x.clone(), inplace=True),
    "dropout2d": lambda x: F.dropout2d(x[None, None]),
    "alpha_dropout": lambda x: F.alpha_dropout(x, training=True),
    "rrelu": lambda x: F.rrelu(x, training=True),
    "gumbel_softmax": lambda x: F.gumbel_softmax(x, hard=True),
    "kaiming_uniform_": lambda x: mg.nn.init.kaiming_uniform_(x.clone()),
    "trunc_normal_": lambda x: mg.nn.init.trunc_normal_(x.clone()),
    "orthogonal_": lambda x: mg.nn.init.orthogonal_(x.clone()),
    "sparse_": lambda x: mg.nn.init.sparse_(x.clone(), 0.3),
    "eye_": lambda x: mg.nn.init.eye_(x.clone()),
}


@pytest.mark.parametrize("what", DRAWN)
def test_random_numbers_are_drawn_where_they_are_wanted(what: str) -> None:
    first, second = on(TWO, X), on(TWO, X)
    mg.manual_seed(0)
    drawn = DRAWN[what](first)
    mg.manual_seed(0)
    assert str(drawn.device) == TWO and DRAWN[what](second).tolist() == drawn.tolist()


def test_a_checkpoint_repeats_the_random_numbers_of_a_gpu() -> None:
    x = mg.ones(50, device=TWO, requires_grad=True)
    y = mg.utils.checkpoint.checkpoint(lambda x: F.dropout(x, 0.5), mg.utils.checkpoint.checkpoint(F.dropout, x))
    y.sum().backward()
    assert 0 < (y == 0).sum() < 50 and x.grad.tolist() == y.tolist()


# ---------------------------------------------------------------------------------------------------- training

def network(*devices: str) -> Any:
    """Two halves, of which each may be on a device of its own."""
    class Net(mg.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = mg.nn.Sequential(mg.nn.Linear(3, 6, bias=False), mg.nn.BatchNorm1d(6), mg.nn.Tanh()).double()
            self.second = mg.nn.Linear(6, 2).double()

        def forward(self, x: Any) -> Any:
            return self.second(self.first(x.to(devices[0])).to(devices[1]))
    mg.manual_seed(0)
    net = Net()
    net.first.to(devices[0]), net.second.to(devices[1])
    return net


def trained(name: str, *devices: str, **options: Any) -> Any:
    net = network(*devices)
    optimizer = getattr(mg.optim, name)(net.parameters(), **options)
    data, target = mg.linspace(-1, 1, 24, dtype=mg.float64).sin().reshape(8, 3), (mg.arange(8) % 2).to(devices[1])

    def closure() -> Any:
        optimizer.zero_grad(set_to_none=False)
        loss = F.cross_entropy(net(data), target)
        loss.backward()
        return loss
    for step in range(4):
        if name == "LBFGS":
            optimizer.step(closure)
            continue
        closure()
        norm = mg.nn.utils.clip_grad_norm_(net.parameters(), 0.1)
        mg.nn.utils.clip_grad_value_(net.parameters(), 0.05)
        assert str(norm.device) == devices[0]
        optimizer.step()
        if step == 1:
            optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for half, device in zip((net.first, net.second), devices):
        tensors = [*half.parameters(), *[p.grad for p in half.parameters()], *half.buffers()]
        tensors += [v for p in half.parameters() for k, v in optimizer.state[p].items() if isinstance(v, mg.Tensor) and v.ndim]
        assert name == "LBFGS" or {str(t.device) for t in tensors} == {device}
    return [t.detach().cpu().numpy() for t in net.state_dict().values()]


OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {}, "SGD, momentum": {"momentum": 0.9}, "Adam": {"amsgrad": True}, "AdamW": {}, "Adamax": {}, "NAdam": {}, "RAdam": {},
    "Adagrad": {"initial_accumulator_value": 0.1}, "RMSprop": {"centered": True}, "Adadelta": {}, "ASGD": {}, "Rprop": {},
    "Adafactor": {}}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_network_on_two_gpus_trains_as_on_one_and_as_on_none(name: str) -> None:
    optimizer, options = name.partition(",")[0], OPTIMIZERS[name]
    want = trained(optimizer, "cpu", "cpu", **options)
    for devices in ((TWO, TWO), (ONE, TWO)):
        for found, expected in zip(trained(optimizer, *devices, **options), want, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


def test_lbfgs_takes_parameters_of_one_device() -> None:
    for found, expected in zip(trained("LBFGS", TWO, TWO, max_iter=4), trained("LBFGS", "cpu", "cpu", max_iter=4), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)
    with pytest.raises(RuntimeError, match="LBFGS.step.*parameter 0 is on standin:1 and parameter 3 is on standin:2"):
        trained("LBFGS", ONE, TWO)


def test_lbfgs_calls_the_closure_on_the_users_gpu() -> None:
    w = mg.nn.Parameter(on(TWO, [1.0, 2.0]))
    optimizer, seen = mg.optim.LBFGS([w], max_iter=3), set()

    def closure() -> Any:
        seen.add(fake_cuda.current())
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss
    optimizer.step(closure)
    assert seen == {0} and w.abs().max() < 1e-6


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, float("inf")])
def test_gradients_on_several_gpus_are_clipped_as_one_vector(norm_type: float) -> None:
    def clipped(*devices: str) -> list[Any]:
        parameters = [mg.nn.Parameter(on(d, [1.0, 2.0])) for d in devices]
        for k, p in enumerate(parameters):
            p.grad = on(devices[k], [3.0 * k - 4.0, 2.0])
        total = mg.nn.utils.clip_grad_norm_(parameters, 1.0, norm_type)
        return [total.cpu().numpy(), *[p.grad.cpu().numpy() for p in parameters]]
    for found, want in zip(clipped(ONE, TWO, ZERO), clipped("cpu", "cpu", "cpu"), strict=True):
        np.testing.assert_allclose(found, want, rtol=1e-12)


def test_averaged_models_and_functions_of_the_user() -> None:
    class Cube(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.save_for_backward(x)
            ctx.home = y.device
            return x ** 3, y.to(x.device) * 2

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            x, = ctx.saved_tensors
            return 3 * x * x * g, (h * 2).to(ctx.home)
    x, y = on(ONE, [1.0, 2.0], requires_grad=True), on(TWO, [3.0, 4.0], requires_grad=True)
    a, b = Cube.apply(x, y)
    (a * b + x).sum().backward()
    assert x.grad.tolist() == [19.0, 97.0] and y.grad.tolist() == [2.0, 16.0] and str(y.grad.device) == TWO
    Cube.apply(x, y)[0].sum().backward()  # nothing arrives at the second result
    assert x.grad.tolist() == [22.0, 109.0]
    net = mg.nn.Linear(2, 2).to(TWO)
    averaged = mg.optim.swa_utils.AveragedModel(net)
    averaged.update_parameters(net)
    averaged.update_parameters(net)
    assert averaged.module.weight.tolist() == net.weight.tolist() and str(averaged.module.weight.device) == TWO


def test_hooks_anomalies_and_drawings() -> None:
    x, seen = on(TWO, [1.0, 2.0], requires_grad=True), []
    x.register_hook(lambda g: g * 2)
    y = x.exp()
    y.retain_grad()
    y.register_hook(lambda g: seen.append(g) or g + 1)
    with mg.autograd.detect_anomaly(check_nan=True):
        (y * y).sum().backward()
    assert [str(t.device) for t in (x.grad, y.grad, seen[0])] == [TWO] * 3 and mg.allclose(y.grad, 2 * y.detach() + 1)
    assert str(x.detach()) == "tensor([1., 2.], device='standin:2', dtype=minigrad.float64)"
    assert "exp" in mg.viz.draw(x.exp().sum()).source
    with mg.autograd.graph.save_on_cpu():
        z = (x * x).sum()
    x.grad = None
    z.backward()
    assert x.grad.tolist() == [4.0, 8.0]
