"""Jacobians, Hessians, functional transforms, batches of gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import func, nn
from minigrad.autograd import functional

rng = np.random.default_rng(0)
A, B = rng.normal(size=(2, 3)), rng.normal(size=3)


def a() -> Any:
    return mg.tensor(A)


def b() -> Any:
    return mg.tensor(B)


def vector(x: Any, y: Any) -> Any:
    return (x * y).sin() @ y


def scalar(x: Any, y: Any) -> Any:
    return ((x * y).sin() ** 2).sum() + (y ** 3).sum()


def same(left: Any, right: Any) -> None:
    """Equal structures of tensors with equal shapes and values."""
    if isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            same(left[key], right[key])
    elif isinstance(left, (tuple, list)):
        assert len(left) == len(right)
        for one, other in zip(left, right):
            same(one, other)
    else:
        assert tuple(left.shape) == tuple(right.shape)
        np.testing.assert_allclose(left.detach().numpy(), right.detach().numpy(), atol=1e-9)


def test_jacobian_is_the_matrix_of_a_linear_map() -> None:
    jacobian = functional.jacobian(lambda x: a() @ x, b())
    np.testing.assert_allclose(jacobian.numpy(), A)
    assert not jacobian.requires_grad


def test_products_agree_with_the_matrices() -> None:
    j = functional.jacobian(vector, (a(), b()))
    h = functional.hessian(scalar, (a(), b()))
    v = (a() + 1, b() - 1)
    u = mg.tensor([0.3, -2.0], dtype=mg.float64)
    same(functional.jvp(vector, (a(), b()), v)[1], j[0].reshape(2, 6) @ v[0].reshape(6) + j[1] @ v[1])
    same(functional.vjp(vector, (a(), b()), u)[1], (mg.einsum("i,ijk->jk", u, j[0]), u @ j[1]))
    hv = (h[0][0].reshape(6, 6) @ v[0].reshape(6) + h[0][1].reshape(6, 3) @ v[1],
          h[1][0].reshape(3, 6) @ v[0].reshape(6) + h[1][1] @ v[1])
    for product in (functional.hvp, functional.vhp):
        value, found = product(scalar, (a(), b()), v)
        same(value, scalar(a(), b()))
        same((found[0].reshape(6), found[1]), hv)


def test_the_hessian_is_symmetric_and_right() -> None:
    same(functional.hessian(lambda x: (x ** 3).sum(), b()), mg.diag(6 * b()))
    h = functional.hessian(scalar, a_and_b())
    same(h[0][1].reshape(6, 3), h[1][0].reshape(3, 6).T)


def a_and_b() -> tuple[Any, Any]:
    return a(), b()


def test_create_graph_lets_the_jacobian_be_differentiated() -> None:
    x = b().requires_grad_()
    j = functional.jacobian(lambda t: t ** 3, x, create_graph=True)
    g, = mg.autograd.grad(j.sum(), x)
    same(g, 6 * b())


@pytest.mark.parametrize("call", [
    lambda: functional.jacobian(lambda x, y: x * 2, (a(), b()), strict=True),
    lambda: functional.hessian(lambda x: x.sum() * 0 + 1.0 * x.detach().sum(), b(), strict=True),
])
def test_strict_refuses_independence(call: Any) -> None:
    with pytest.raises(RuntimeError, match="independent|does not require gradients"):
        call()


@pytest.mark.parametrize(("call", "message"), [
    (lambda: functional.hessian(lambda x: x * 2, b()), r"should contain a single element, but its shape is \[3\]"),
    (lambda: functional.vjp(vector, (a(), b())), "v can only be None if"),
    (lambda: functional.vjp(vector, (a(), b()), mg.ones(3)), r"v has invalid size: should be \[2\].*\[3\]"),
    (lambda: functional.jacobian(lambda x: 1.0, b()), "output 0 is a float"),
    (lambda: functional.jacobian(vector, [1.0, b()]), "input 0 is a float"),
    (lambda: func.grad(lambda x: x)(b()), r"scalar tensor, got \[3\]"),
    (lambda: func.grad(scalar, 2)(a(), b()), "only 2 positional inputs"),
    (lambda: func.jvp(vector, (a(), b()), (b(), a())), "tangent 0 has shape"),
    (lambda: func.vmap(mg.dot)(a(), a()[:1]), r"same size in the mapped dimension, got sizes \[2, 1\]"),
    (lambda: func.vmap(mg.dot, in_dims=(None, None))(b(), b()), "at least one Tensor"),
    (lambda: func.functional_call(nn.Linear(2, 1), {"wait": mg.ones(1)}, mg.ones(2), strict=True), "Unexpected key.*wait"),
])
def test_mistakes_are_named(call: Any, message: str) -> None:
    with pytest.raises((RuntimeError, TypeError, ValueError), match=message):
        call()


def test_transforms_nest() -> None:
    same(func.grad(lambda x: func.grad(lambda y: (y ** 3).sum())(x).sum())(b()), 6 * b())
    same(func.hessian(lambda x: (x ** 3).sum())(b()), mg.diag(6 * b()))
    same(func.jacfwd(func.jacrev(lambda x: (x ** 3).sum()))(b()), mg.diag(6 * b()))


def test_grad_of_structures_and_aux() -> None:
    def loss(params: Any, x: Any) -> Any:
        y = params["w"] @ x + params["b"][0]
        return (y * y).sum(), y

    params = {"w": a(), "b": [mg.zeros(2, dtype=mg.float64)]}
    (value, y), gradient = func.value_and_grad(loss, has_aux=True)(params, b())
    same(value, (y * y).sum())
    same(gradient["b"][0], 2 * y)
    same(gradient["w"], mg.outer(2 * y, b()))
    assert not value.requires_grad
    assert params["w"].grad is None


def test_vjp_and_linearize_are_adjoint() -> None:
    output, pull = func.vjp(vector, a(), b())
    _, push = func.linearize(vector, a(), b())
    u, v = mg.tensor([0.3, -2.0], dtype=mg.float64), (a() * 2, b() + 1)
    pulled = pull(u)
    assert float(u @ push(*v)) == pytest.approx(float((pulled[0] * v[0]).sum() + pulled[1] @ v[1]))


def test_vmap_is_the_loop() -> None:
    x = mg.rand(4, 3, dtype=mg.float64)
    same(func.vmap(func.grad(lambda t: (t ** 2).sum()))(x), 2 * x)
    same(func.vmap(lambda t, s: t * s, in_dims=(1, None), out_dims=1)(x, mg.ones(4, dtype=mg.float64)), x)
    same(func.vmap(lambda d: {"y": d["x"] + 1})({"x": x}), {"y": x + 1})
    per_sample = func.vmap(func.vmap(lambda t: t * 2))(x)
    same(per_sample, x * 2)


def test_functional_call_of_parameters_the_module_has_not() -> None:
    class Sees(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.number = nn.Linear(1, 1), 0.0

        def forward(self, x: Any) -> Any:
            return self.inner(x), list(self.parameters())

    module, extra = Sees(), nn.Parameter(mg.ones(1))
    module.inner.outer = module  # type: ignore[assignment]
    given = {"inner.outer.inner.weight": mg.ones(1, 1), "inner.bias": None, "inner.extra": extra}
    out, parameters = func.functional_call(module, given, mg.tensor([[3.0]]), tie_weights=False)
    assert out.tolist() == [[3.0]] and len(parameters) == 2 and parameters[1] is extra
    assert [name for name, _ in module.named_parameters()] == ["inner.weight", "inner.bias"]
    with pytest.raises(TypeError, match="attribute `number`: 0.0 is not an instance"):
        func.functional_call(module, {"number": mg.ones(1)}, mg.ones(1, 1), tie_weights=False)
    with pytest.raises(RuntimeError, match=r"Missing key\(s\): 'bias', 'weight'"):
        func.functional_call(nn.Linear(1, 1), {}, mg.ones(1, 1), strict=True)


def test_functional_call_leaves_the_module_alone() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    before = {k: v.clone() for k, v in model.state_dict().items()}
    new = {"0.weight": mg.ones(2, 3), "0.bias": mg.zeros(2)}
    out = func.functional_call(model.eval(), new, (mg.ones(1, 3),))
    np.testing.assert_allclose(out.detach().numpy(), 3 / np.sqrt(1 + 1e-5) * np.ones((1, 2)), rtol=1e-6)
    assert all(mg.equal(v, before[k]) for k, v in model.state_dict().items())
    gradient = func.grad(lambda p: func.functional_call(model[0], p, (mg.ones(4, 3),)).sum())(dict(model[0].named_parameters()))
    assert gradient["weight"].tolist() == [[4, 4, 4], [4, 4, 4]]


def test_an_ensemble_by_vmap() -> None:
    models = [nn.Linear(3, 1) for _ in range(3)]
    params, buffers = func.stack_module_state(models)
    x = mg.rand(5, 3)
    out = func.vmap(lambda p, q: func.functional_call(models[0], (p, q), (x,)))(params, buffers)
    same(out, mg.stack([m(x) for m in models]))


def test_batches_of_gradients() -> None:
    x = b().requires_grad_()
    y = x ** 2
    found, = mg.autograd.grad(y, x, mg.eye(3, dtype=mg.float64), is_grads_batched=True)
    same(found, mg.diag(2 * b()))
    with pytest.raises(RuntimeError, match="batch as its first dimension"):
        mg.autograd.grad((x ** 2).sum(), x, mg.tensor(1.0), is_grads_batched=True)


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of PyTorch itself
def test_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    ta, tb = torch.tensor(A), torch.tensor(B)
    for name, args in (("jacobian", ()), ("jvp", ((a(), b()),))):
        theirs = tuple(tuple(torch.tensor(t.numpy()) for t in arg) for arg in args)
        ours, reference = getattr(functional, name), getattr(torch.autograd.functional, name)
        same(ours(vector, (a(), b()), *args), reference(vector, (ta, tb), *theirs))
    same(functional.hessian(scalar, (a(), b())), torch.autograd.functional.hessian(scalar, (ta, tb)))
    same(func.jacrev(vector, (0, 1))(a(), b()), torch.func.jacrev(vector, (0, 1))(ta, tb))
    same(func.hessian(scalar, (0, 1))(a(), b()), torch.func.hessian(scalar, (0, 1))(ta, tb))
    same(func.grad_and_value(scalar)(a(), b()), torch.func.grad_and_value(scalar)(ta, tb))
    same(func.vmap(func.grad(scalar), in_dims=(0, None))(a(), b()),
         torch.func.vmap(torch.func.grad(scalar), in_dims=(0, None))(ta, tb))


@pytest.mark.parametrize(("call", "message"), [
    (lambda x: func.vmap(mg.mul, [0, 0])(x, x), "expected `in_dims` to be int or a"),
    (lambda x: func.vmap(mg.mul, (0,))(x, x), "in_dims is not compatible with the structure of `inputs`"),
    (lambda x: func.vmap(mg.sum)(x, 0), "Got in_dim=0 for an input but the input is of type <class 'int'>"),
    (lambda x: func.vmap(mg.sin, 2)(x), "Got in_dim=2 for some input, but that input is a Tensor of dimensionality 1"),
    (lambda x: func.vmap(lambda: x)(), "got no inputs"),
    (lambda x: func.vmap(mg.sin, out_dims="no")(x), "`out_dims` must be an int, None or a python collection of ints"),
    (lambda x: func.vmap(mg.sin, out_dims=(0, 0))(x), "out_dims is not compatible with the structure of `outputs`"),
    (lambda x: func.vmap(mg.sin, out_dims=None)(x), "can not return a BatchedTensor when out_dim is None"),
    (lambda x: func.vmap(lambda a: 3)(x), "must only return Tensors, got type <class 'int'>"),
    (lambda x: func.vmap(mg.sin, chunk_size=0)(x), "chunk_size should be None or greater than 0"),
    (lambda x: func.grad(mg.sum)("text"), "must be Tensor, got <class 'str'>"),
])
def test_values_of_another_kind_are_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(b())


@pytest.mark.parametrize(("call", "message"), [
    (lambda x: func.vmap(lambda a: a + mg.rand(()))(x), "random operation while in randomness error mode"),
    (lambda x: func.vmap(lambda a: mg.rand(2, generator=mg.Generator()))(x), "random operation while in randomness error mode"),
    (lambda x: func.grad(scalar, (0, -2))(x, x), "argnums elements must be unique"),
    (lambda x: func.jacrev(scalar, [0])(x, x), "argnums must be int or Tuple"),
    (lambda x: func.grad(lambda a: (a, a, a), has_aux=True)(x), r"should be a tuple: \(output, aux\)"),
    (lambda x: func.vjp(mg.sin, x)[1]((x, x)), "Expected pytree structure of cotangents to be the same"),
    (lambda x: func.jvp(mg.sin, x, x), "Expected primals to be a tuple"),
    (lambda x: func.jvp(lambda a: b(), (x,), (x,), strict=True), "output of f is independent of the inputs"),
    (lambda x: func.jacfwd(lambda a: a * 1j)(x), "jacfwd: Expected all outputs to be real"),
    (lambda x: func.stack_module_state([nn.Linear(1, 1), nn.Linear(1, 1).eval()]), "same training/eval mode"),
    (lambda x: func.functional_call(nn.Linear(1, 1), {"weight": x}, x, strict=True), r"Missing key\(s\): 'bias'"),
])
def test_what_does_not_fit_is_refused(call: Any, message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        call(b())


def test_vmap_of_a_generator_repeats_or_goes_on() -> None:
    generator = mg.Generator().manual_seed(0)
    same = func.vmap(lambda a: mg.rand(2, generator=generator), randomness="same")(b())
    other = func.vmap(lambda a: mg.rand(2, generator=generator), randomness="different")(b())
    assert bool((same == same[0]).all())
    assert not bool((other[1:] == other[0]).any())


def test_vmap_gives_back_what_the_function_gives_back() -> None:
    x = mg.rand(2, 3, 4)
    moved = func.vmap(lambda t: t, out_dims=2)(x)
    assert moved.shape == (3, 4, 2)
    assert np.shares_memory(moved.array, x.array)
    assert func.vmap(lambda t: t.mul_(0))(x) is x
    assert float(x.sum()) == 0
    assert func.vmap(lambda t: t.sum())(mg.ones(0, 3)).shape == (0,)


def test_functional_call_of_tied_and_missing_names() -> None:
    module = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    module[1].weight = module[0].weight
    one, two, x = mg.tensor([[2.0]]), mg.tensor([[3.0]]), mg.ones(1, 1)
    assert float(func.functional_call(module, {"0.weight": one}, x)) == 4
    assert float(func.functional_call(module, {"0.weight": one, "1.weight": two}, x, tie_weights=False)) == 6
    with pytest.raises(ValueError, match="which are tied"):
        func.functional_call(module, {"0.weight": one, "1.weight": two}, x)
    with pytest.raises(AttributeError, match="no attribute"):
        func.functional_call(module, {"5.weight": one}, x)
    assert float(func.functional_call(nn.Linear(1, 1), {"weight": one, "bias": None}, x)) == 2


@pytest.mark.parametrize("view", [
    lambda t: t[1:], lambda t: t.T, lambda t: t.diagonal(), lambda t: t.reshape(-1), lambda t: t.unsqueeze(-1),
    lambda t: t.unfold(0, 2, 1), lambda t: t.expand(2, 3, 3), lambda t: t.unbind(1)[2], lambda t: t.select(0, 1)[::2],
], ids=["slice", "transpose", "diagonal", "reshape", "unsqueeze", "unfold", "expand", "unbind", "select"])
@pytest.mark.parametrize("in_dim", [0, 1, 2])
@pytest.mark.parametrize("out_dim", [0, -1])
def test_vmap_of_a_view_is_a_view(view, in_dim, out_dim) -> None:
    x = mg.arange(36.0).reshape(4, 3, 3).movedim(0, in_dim).clone().requires_grad_()
    whole = func.vmap(view, in_dims=in_dim, out_dims=out_dim)(x)
    pieces = mg.stack([view(t) for t in x.unbind(in_dim)]).movedim(0, out_dim)
    same(whole, pieces)
    assert whole._base is x and np.shares_memory(whole.array, x.array)
    weights = mg.arange(1.0, 1 + whole.numel()).reshape(whole.shape)
    same(*[mg.autograd.grad((y * weights).sum(), x)[0] for y in (whole, pieces)])


def test_vmap_of_views_of_complex_numbers() -> None:
    z = mg.randn(4, 3, dtype=mg.complex128)
    for view in (mg.real, mg.imag, mg.view_as_real):
        parts = func.vmap(view, in_dims=1)(z)
        same(parts, mg.stack([view(t) for t in z.unbind(1)]))
        assert parts._base is z
    pairs = mg.randn(4, 3, 2)
    joined = func.vmap(mg.view_as_complex, in_dims=1)(pairs)
    assert joined._base is pairs and mg.equal(joined, mg.view_as_complex(pairs).t())


def test_vmap_of_what_does_not_depend_on_the_index() -> None:
    y = mg.randn(3, requires_grad=True)
    repeated = func.vmap(lambda t: y)(mg.ones(4))
    assert repeated._base is y and repeated.shape == (4, 3) and repeated.stride() == (0, 1)
    repeated.sum().backward()
    assert y.grad.tolist() == [4.0] * 3


def test_vmap_of_a_view_cut_from_the_graph_is_cut() -> None:
    x = mg.randn(2, 3)
    same(func.grad(lambda t: func.vmap(lambda row: row.detach()[1:] * row[1:])(t).sum())(x)[:, 1:], x[:, 1:])
    assert not func.vmap(lambda row: row.detach()[1:])(x.clone().requires_grad_()).requires_grad


def test_vmap_lays_its_result_out_index_by_index() -> None:
    y = func.vmap(lambda t: t.clone(), in_dims=1, out_dims=1)(mg.randn(2, 3, 7))
    assert y.movedim(1, 0).is_contiguous()


def test_vjp_without_recording() -> None:
    x = mg.tensor(3.0, requires_grad=True)
    with mg.no_grad():
        out, pull = func.vjp(lambda t: t ** 2, x)
        assert not out.requires_grad and not pull(mg.tensor(1.0))[0].requires_grad
    gradient, = pull(mg.tensor(1.0))
    assert mg.autograd.grad(gradient, x)[0] == 2


def test_vmap_refuses_different_writes_into_one_tensor() -> None:
    total = mg.zeros(())
    for write in (total.add_, total.copy_, total.fill_, lambda t: total.__setitem__((), t)):
        with pytest.raises(RuntimeError, match="asks for inplace arithmetic with what differs from index to index"):
            func.vmap(lambda t, write=write: (write(t), t)[1])(mg.arange(3.0))
    with pytest.raises(RuntimeError, match="different inplace randomness on an unbatched tensor"):
        func.vmap(lambda t: total.normal_() + t, randomness="different")(mg.arange(3.0))
    with pytest.raises(RuntimeError, match="add_ asks for inplace arithmetic"):
        func.vmap(func.vmap(mg.Tensor.add_, in_dims=(None, 0)))(mg.zeros(2), mg.ones(2, 3))
    assert func.vmap(lambda t: (total.fill_(7.0), t)[1])(mg.arange(3.0)).tolist() == [0, 1, 2]
    assert float(total) == 7
    assert func.vmap(lambda t: t.clone().add_(t))(mg.arange(3.0)).tolist() == [0, 2, 4]
    rows = mg.zeros(2, 3)
    func.vmap(func.vmap(mg.Tensor.add_))(rows, mg.ones(2, 3))
    assert rows.tolist() == [[1.0] * 3] * 2
