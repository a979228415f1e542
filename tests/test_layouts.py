"""In which order the dimensions of results and gradients lie in memory: as PyTorch's do. The order of every declared operation is
that which its declaration says; what PyTorch says of public functions is asked of it where it is installed."""

from __future__ import annotations

import itertools
from typing import Any, Callable

import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad._types.layouts import RESULT_ORDERS, in_order
from minigrad.recording.call import REGISTRY
from tests import checks
from tests.test_op_table import CASES, NAMES, drawn


def fortran(x: Any) -> Any:
    return np.array(x, order="F")


def channels_last(x: Any) -> Any:
    return np.moveaxis(np.array(np.moveaxis(x, 1, -1), order="C"), -1, 1) if x.ndim > 2 else np.array(x, order="C")


def rotated(x: Any) -> Any:
    """The last dimension outermost."""
    return np.moveaxis(np.array(np.moveaxis(x, -1, 0), order="C"), 0, -1) if x.ndim > 1 else np.array(x)


def every_second(x: Any) -> Any:
    return np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x


ARRANGED: list[Callable[[Any], Any]] = [np.array, fortran, channels_last, rotated, every_second]


def steps(x: Any) -> list[int]:
    """The strides of a tensor in the dimensions in which a step can be taken."""
    return [s for s, n in zip(x.stride(), x.shape) if n > 1] if 0 not in tuple(x.shape) else []


def natural(order: Any, shape: Any) -> list[int]:
    """Those of a tensor of `shape` whose dimensions lie in `order` without gaps."""
    found, step = {}, 1
    for d in reversed(order):
        found[d], step = step, step * shape[d]
    return [found[d] for d in range(len(shape)) if shape[d] > 1]


# ---------------------------------------------------------------------------------------------------- what is declared

def expected_order(layout: str, shape: Any, args: list[Any]) -> Any:
    """The order that `layout` promises of a result, where that can be said in one line; else None."""
    first, n = args[0], len(shape)
    widest = sorted(range(n), key=lambda d: -first.strides[d]) if first.shape == shape else None
    distinct = first.shape == shape and len(set(first.strides)) == n and min(shape, default=2) > 1
    if layout == "contiguous":
        return list(range(n))
    if layout == "columns":
        return [*range(n - 2), n - 1, n - 2] if n >= first.ndim else list(range(n))
    if layout in ("like_input", "ufunc", "elementwise"):
        return widest if distinct else None
    if n < 4:
        return None
    images = [a for a in args if a is not None and a.ndim > 3]
    last = [not a.flags.c_contiguous and np.moveaxis(a, 1, -1).flags.c_contiguous for a in images]
    if min(min(a.shape) for a in images) < 2 or len(set(last)) > 1 or n == 5 and "3d" not in layout and "_of_" not in layout:
        return None
    return [0, *range(2, n), 1] if all(last) else list(range(n))


@pytest.mark.parametrize("name", [n for n in NAMES if REGISTRY[n].info.layout])
def test_the_result_lies_as_declared(name: str) -> None:
    op, case = REGISTRY[name], CASES[name]
    for args, settings in [*case.examples, *drawn(name)]:
        some = [k for k, a in enumerate(args) if a is not None and a.dtype.kind in "fc"] or [0]
        plans = [[change] * len(args) for change in ARRANGED] + [
            [fortran if k == some[0] else np.array for k in range(len(args))],
            [np.array if k == some[0] else fortran for k in range(len(args))]]
        for plan in plans:
            changed = [None if a is None else change(a) for a, change in zip(args, plan)]
            tensors = [checks.tensor_of(a) for a in changed]
            for out in checks.evaluate(op, case, tensors, settings):
                wanted = expected_order(op.info.layout, tuple(out.shape), changed) if changed[0] is not None else None
                if wanted is not None and out.array.size:
                    assert steps(out) == natural(wanted, out.shape), \
                        f"{checks.described(op, changed, settings)}: strides {out.stride()}, not in the order {wanted}"


def test_every_layout_that_is_declared_is_known() -> None:
    assert {REGISTRY[n].info.layout for n in NAMES} - {None} <= set(RESULT_ORDERS)


@pytest.mark.parametrize("name", [n for n in NAMES if len(REGISTRY[n].info.arguments) == 1 and not REGISTRY[n].info.view
                                  and not REGISTRY[n].info.layout and REGISTRY[n].info.forward.__module__.startswith(
                                      "minigrad.ops.pointwise")])
def test_functions_of_one_tensor_keep_its_order(name: str) -> None:
    op, case = REGISTRY[name], CASES[name]
    for args, settings in [*case.examples, *drawn(name)]:
        for change in (np.array, fortran, rotated):
            x = change(args[0])
            for out in checks.evaluate(op, case, [checks.tensor_of(x)], settings):
                if out.shape == x.shape and x.size and out.array.dtype.itemsize:
                    assert steps(out) == natural(sorted(range(x.ndim), key=lambda d: (-x.strides[d], d)), x.shape) or \
                        min(x.shape, default=2) == 1, f"{name} of strides {x.strides} has {out.stride()}"


def test_in_order() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    for order in itertools.permutations(range(3)):
        y = in_order(x, order)
        assert y.transpose(order).flags.c_contiguous and np.array_equal(x, y)
        assert in_order(y, order) is y


# ---------------------------------------------------------------------------------------------------- what programs do

def test_einsum_lies_in_the_order_of_its_result_where_one_operand_comes_first() -> None:
    x, y = minigrad.randn(2, 4, 3), minigrad.randn(2, 5, 3)
    for equation in ("bij,bkj->bik", "bij,bkj->bki"):
        assert minigrad.einsum(equation, x, y).is_contiguous()
    assert minigrad.einsum("bij,bkj->ibk", x, y).stride() == (5, 20, 1)


def test_what_is_expanded_is_copied_in_the_order_of_its_dimensions() -> None:
    x = minigrad.tensor([0.0, 1.0, 2.0], dtype=minigrad.bfloat16).expand(2, 3)
    for made in (x.float(), x.bool(), x.sigmoid(), x + x, x.clone()):
        assert made.is_contiguous()


def test_ravel_is_a_copy_and_sum_to_size_a_view_as_in_pytorch() -> None:
    x = minigrad.zeros(3, 2, dtype=minigrad.bfloat16)
    x[:, 0].ravel().add_(1)
    x.ravel()[1] = 2
    x[:, 1:].sum_to_size(3, 1).add_(1)
    assert x.tolist() == [[0.0, 3.0], [0.0, 1.0], [0.0, 1.0]]


def test_weights_that_are_used_transposed_have_contiguous_gradients() -> None:
    x, y, w = minigrad.randn(5, 4), minigrad.randn(5, 4), minigrad.randn(3, 4, requires_grad=True)
    (x @ w.t() + y @ w.t()).sum().backward()
    assert w.grad is not None and w.grad.view(-1).shape == (12,)


def test_what_is_joined_can_be_viewed() -> None:
    a = minigrad.randn(3, 4)
    first = minigrad.zeros(4, 3, dtype=minigrad.int64)
    for made in (minigrad.cat([a.t(), a.t()]), minigrad.stack([a.t(), a.t()]), a.t().softmax(0), a.t().cumsum(0),
                 a.t().roll(1, 0), minigrad.randn(2, 3, 4).permute(2, 1, 0).sum(0), a.t().gather(0, first)):
        assert made.is_contiguous() and made.view(-1).ndim == 1


@pytest.mark.parametrize("change", ARRANGED)
def test_a_gradient_takes_the_layout_of_its_leaf(change: Callable[[Any], Any]) -> None:
    for rank in (2, 3, 4):
        leaf = minigrad.tensor(0.0)
        leaf.array = change(np.random.default_rng(0).normal(size=(2, 3, 4, 5)[:rank]))
        leaf.requires_grad_()
        dense = np.empty_like(leaf.array)
        for use in (lambda x: x.exp(), lambda x: x.transpose(0, -1) * 2, lambda x: x.sum(0), lambda x: x.reshape(-1)):
            leaf.grad = None
            for _ in range(2):
                use(leaf).square().sum().backward()
            assert leaf.grad is not None
            wanted = dense.strides if change is not every_second else np.empty(leaf.shape).strides
            assert leaf.grad.array.strides == wanted, use
            assert minigrad.autograd.grad(use(leaf).sum(), leaf)[0].array.strides == wanted


def test_a_write_through_a_view_and_a_gradient_of_other_strides() -> None:
    for use in (lambda h: h.t() @ minigrad.ones(3, 2), lambda h: h.sum(), lambda h: h.t().contiguous(), lambda h: h[:, ::2],
                lambda h: h.expand(2, 3, 4).sum(0)):
        x = minigrad.randn(3, 4, requires_grad=True)
        h = x * 2
        h.view(-1).mul_(3)
        use(h).sum().backward()
        y = x.detach().requires_grad_()
        use(y * 6).sum().backward()
        minigrad.testing.assert_close(x.grad, y.grad)


def image_model() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
                         nn.ConvTranspose2d(8, 4, 2, 2), nn.GroupNorm(2, 4), nn.LeakyReLU(), nn.Upsample(scale_factor=2),
                         nn.Dropout(0.5), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(4), nn.PixelUnshuffle(2), nn.ReflectionPad2d(1),
                         nn.ZeroPad2d(1), nn.Hardswish(), nn.LocalResponseNorm(2))


@pytest.mark.parametrize("batch", [1, 2])
def test_channels_stay_last_through_layers(batch: int) -> None:
    model = image_model().to(memory_format=minigrad.channels_last)
    x = minigrad.randn(batch, 3, 16, 16).to(memory_format=minigrad.channels_last).requires_grad_()
    h = x
    for layer in model:
        h = layer(h)
        assert h.is_contiguous(memory_format=minigrad.channels_last), layer
    h.sum().backward()
    for t in (x, *[p for p in model.parameters() if p.ndim == 4]):
        assert t.is_contiguous(memory_format=minigrad.channels_last) and t.grad is not None
        assert t.grad.is_contiguous(memory_format=minigrad.channels_last)


@pytest.mark.parametrize("batch", [1, 2])
def test_without_channels_last_results_are_contiguous(batch: int) -> None:
    h = minigrad.randn(batch, 3, 16, 16)
    for layer in image_model():
        h = layer(h)
        assert h.is_contiguous(), layer


# ---------------------------------------------------------------------------------------------------- what PyTorch says

# Functions of the namespace and of one or two tensors of one shape.
FUNCTIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "x + y": lambda t, x, y: x + y, "x * 2": lambda t, x, y: x * 2, "x / y.sum(0)": lambda t, x, y: x / y.sum(0),
    "x > y": lambda t, x, y: x > y, "where": lambda t, x, y: t.where(x > 0, x, y), "lerp": lambda t, x, y: t.lerp(x, y, 0.5),
    "addcmul": lambda t, x, y: t.addcmul(x, y, y), "maximum": lambda t, x, y: t.maximum(x, y),
    "clamp": lambda t, x, y: x.clamp(y), "complex": lambda t, x, y: t.complex(x, y), "exp": lambda t, x, y: x.exp(),
    "relu": lambda t, x, y: x.relu(), "gelu": lambda t, x, y: t.nn.functional.gelu(x), "to": lambda t, x, y: x.to(t.float32),
    "sum": lambda t, x, y: x.sum(0), "mean keepdim": lambda t, x, y: x.mean(-1, keepdim=True), "var": lambda t, x, y: x.var(0),
    "amax": lambda t, x, y: x.amax(0), "max": lambda t, x, y: x.max(0)[1], "norm": lambda t, x, y: x.norm(dim=0),
    "logsumexp": lambda t, x, y: x.logsumexp(0), "all": lambda t, x, y: (x > 0).all(0), "softmax": lambda t, x, y: x.softmax(0),
    "log_softmax": lambda t, x, y: x.log_softmax(-1), "cumsum": lambda t, x, y: x.cumsum(0),
    "cumprod": lambda t, x, y: x.cumprod(-1), "cummax": lambda t, x, y: x.cummax(0),
    "logcumsumexp": lambda t, x, y: x.logcumsumexp(0), "sort": lambda t, x, y: x.sort(0),
    "argsort": lambda t, x, y: x.argsort(-1), "topk": lambda t, x, y: x.topk(2, 0), "flip": lambda t, x, y: x.flip(0),
    "roll": lambda t, x, y: x.roll(1, 0), "repeat": lambda t, x, y: x.repeat(*[2] * x.ndim), "tril": lambda t, x, y: x.tril(),
    "cat": lambda t, x, y: t.cat([x, y]), "stack": lambda t, x, y: t.stack([x, y], 1),
    "gather": lambda t, x, y: x.gather(0, t.zeros(tuple(x.shape), dtype=t.int64)),
    "index_select": lambda t, x, y: x.index_select(-1, t.tensor([1, 0])), "x[[1, 0]]": lambda t, x, y: x[[1, 0]],
    "x[:, [1, 0]]": lambda t, x, y: x[:, [1, 0]], "x[..., mask]": lambda t, x, y: x[..., t.tensor([True] * x.shape[-1])],
    "masked_fill": lambda t, x, y: x.masked_fill(x > 0, 1.0), "scatter": lambda t, x, y: x.scatter(
        0, t.zeros(tuple(x.shape), dtype=t.int64)[:1], y), "index_add": lambda t, x, y: x.index_add(0, t.tensor([0, 1]), y[:2]),
    "zeros_like": lambda t, x, y: t.zeros_like(x),
    "rand_like": lambda t, x, y: t.rand_like(x), "clone": lambda t, x, y: x.clone(), "unsqueeze": lambda t, x, y: x.unsqueeze(0),
    "expand": lambda t, x, y: x.expand(2, *x.shape).clone(), "matmul": lambda t, x, y: x @ y.transpose(-1, -2),
    "inverse": lambda t, x, y: t.linalg.inv(x @ x.transpose(-1, -2) + t.eye(x.shape[-2], dtype=x.dtype)),
    "qr": lambda t, x, y: t.linalg.qr(x), "svd": lambda t, x, y: t.linalg.svd(x, full_matrices=False),
    "mse": lambda t, x, y: t.nn.functional.mse_loss(x, y, reduction="none"),
    "dropout": lambda t, x, y: t.nn.functional.dropout(x),
}
# Of tensors that have dimensions of one element, too.
WITH_ONES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "einsum ik": lambda t, x, y: t.einsum("...ij,...kj->...ik", x, y),
    "einsum ki": lambda t, x, y: t.einsum("...ij,...kj->...ki", x, y),
    "einsum ki...": lambda t, x, y: t.einsum("...ij,...kj->ki...", x, y),
    "einsum ji": lambda t, x, y: t.einsum("...ij,...ij->...ji", x, y),
    "einsum outer": lambda t, x, y: t.einsum("...i,...j->...ji", x, y),
    "rms_norm": lambda t, x, y: t.nn.functional.rms_norm(x, tuple(x.shape[-1:])),
    "logsigmoid": lambda t, x, y: t.nn.functional.logsigmoid(x), "half": lambda t, x, y: (x.half() + y.half()).exp(),
    "x.bool()": lambda t, x, y: x.bool(), "expand and convert": lambda t, x, y: x.expand(2, *x.shape).float(),
    "expand and sigmoid": lambda t, x, y: x.half().expand(2, *x.shape).sigmoid(), "ravel": lambda t, x, y: x.ravel(),
    "a column's ravel": lambda t, x, y: x.reshape(-1, x.shape[-1])[:, 0].ravel(),
    "x[None]": lambda t, x, y: x[None] * y[None], "x.mT[:, None]": lambda t, x, y: x.mT[:, None] - y.mT[:, None],
    "cat of x[..., None]": lambda t, x, y: t.cat([x[..., None], y[..., None]]), "vstack": lambda t, x, y: t.vstack([x, y]),
    "sum_to_size": lambda t, x, y: x[..., :1].sum_to_size(x[..., :1].shape), "addcdiv": lambda t, x, y: t.addcdiv(x, y, y),
    "bce": lambda t, x, y: t.nn.functional.binary_cross_entropy_with_logits(x, y, reduction="none"),
    **{name: FUNCTIONS[name] for name in ("x + y", "where", "lerp", "x / y.sum(0)", "to", "clone", "cumsum", "softmax", "roll",
                                          "x[[1, 0]]", "x[..., mask]", "matmul", "sort", "cat", "stack")},
}
IMAGES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "interpolate nearest": lambda t, x, y: t.nn.functional.interpolate(x, scale_factor=2),
    "interpolate bilinear": lambda t, x, y: t.nn.functional.interpolate(x, scale_factor=2, mode="bilinear"),
    "pad": lambda t, x, y: t.nn.functional.pad(x, (1, 1)),
    "pad reflect": lambda t, x, y: t.nn.functional.pad(x, (1, 1, 1, 1), "reflect"),
    "pad circular": lambda t, x, y: t.nn.functional.pad(x, (1, 1, 1, 1), "circular"),
    "max_pool2d": lambda t, x, y: t.nn.functional.max_pool2d(x, 2, return_indices=True),
    "avg_pool2d": lambda t, x, y: t.nn.functional.avg_pool2d(x, 2),
    "adaptive_max_pool2d": lambda t, x, y: t.nn.functional.adaptive_max_pool2d(x, 2),
    "conv2d": lambda t, x, y: t.nn.functional.conv2d(x, t.ones(3, x.shape[1], 2, 2, dtype=x.dtype)),
    "batch_norm": lambda t, x, y: t.nn.functional.batch_norm(x, None, None, training=True),
    "instance_norm": lambda t, x, y: t.nn.functional.instance_norm(x),
    "group_norm": lambda t, x, y: t.nn.functional.group_norm(x, 1),
    "layer_norm": lambda t, x, y: t.nn.functional.layer_norm(x, x.shape[1:]),
    "channel_shuffle": lambda t, x, y: t.nn.functional.channel_shuffle(t.cat([x, y], 1), 2),
}


def compare_with(torch: Any, name: str, call: Callable[[Any, Any, Any], Any], shape: Any) -> None:
    """Assert that the results of `call` on tensors of `shape`, in every arrangement, lie as those of PyTorch."""
    for one, two in itertools.product(ARRANGED, ARRANGED):
        x, y = one(np.random.default_rng(0).normal(size=shape)), two(np.random.default_rng(1).normal(size=shape))
        found, wanted = [call(t, t.from_numpy(x), t.from_numpy(y)) for t in (minigrad, torch)]
        pairs = zip(found, wanted) if isinstance(found, tuple) else [(found, wanted)]
        for a, b in pairs:
            assert a.shape == b.shape and steps(a) == steps(b), \
                f"{name} of {shape}, {x.strides} and {y.strides}: strides {a.stride()}, in PyTorch {b.stride()}"


@pytest.mark.parity
@pytest.mark.parametrize("name", [*FUNCTIONS, *IMAGES])
def test_layouts_are_those_of_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    for shape in [(3, 4), (2, 3, 4), (2, 3, 4, 6)] if name in FUNCTIONS else [(2, 3, 4, 6)]:
        compare_with(torch, name, FUNCTIONS.get(name) or IMAGES[name], shape)


@pytest.mark.parity
@pytest.mark.parametrize("name", WITH_ONES)
def test_dimensions_of_one_element_lie_as_in_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    for shape in [(2, 3), (2, 3, 4), (2, 3, 1), (2, 2, 1, 4), (2, 3, 4, 1), (2, 3, 4, 6)]:
        compare_with(torch, name, WITH_ONES[name], shape)


@pytest.mark.parity
def test_strides_of_new_dimensions() -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    for call in (lambda t, x: x[None], lambda t, x: x[:, None], lambda t, x: x[..., None], lambda t, x: x.unsqueeze(1),
                 lambda t, x: x.mT[None, ..., None], lambda t, x: x.sum(1, keepdim=True), lambda t, x: x[:, :1].mT):
        found, wanted = [call(t, t.zeros(2, 3, 4)).stride() for t in (minigrad, torch)]
        assert found == wanted
