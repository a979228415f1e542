"""einsum and its kin against NumPy, and derivatives of factorizations through what does not depend on the choice of factors."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad
from minigrad import linalg, tensor
from minigrad.nn import functional as F

RNG = np.random.default_rng(3)


def check_gradients(function, *arrays, rtol=1e-5):
    """The gradient of sum(w * function) along a random direction is its slope; and so on for the gradient itself."""
    rng = np.random.default_rng(0)
    leaves = [tensor(a, requires_grad=True) for a in arrays]
    directions = [np.asarray(rng.normal(size=a.shape)) for a in arrays]
    weight = rng.normal(size=function(*leaves).shape)

    def value(h):
        return float((function(*[tensor(a + h * d) for a, d in zip(arrays, directions)]).numpy().real * weight).sum())

    out = (minigrad.real(function(*leaves)) if function(*leaves).is_complex() else function(*leaves)) * tensor(weight)
    grads = minigrad.autograd.grad(out.sum(), leaves, create_graph=True)
    along = sum((g * tensor(d)).sum() for g, d in zip(grads, directions))
    h = 1e-4
    slope = (8 * (value(h) - value(-h)) - value(2 * h) + value(-2 * h)) / (12 * h)
    assert along.item() == pytest.approx(slope, rel=rtol, abs=rtol)
    if along.requires_grad:  # a linear function has a constant gradient
        def first(*tensors):
            fresh = [t.detach().requires_grad_() for t in tensors]
            y = function(*fresh)
            y = minigrad.real(y) if y.is_complex() else y
            gs = minigrad.autograd.grad((y * tensor(weight)).sum(), fresh, create_graph=True)
            return fresh, sum((g * tensor(d)).sum() for g, d in zip(gs, directions))
        others = [np.asarray(rng.normal(size=a.shape)) for a in arrays]
        fresh, along = first(*leaves)
        second = minigrad.autograd.grad(along, fresh, materialize_grads=True)
        found = sum(float((g * tensor(o)).sum()) for g, o in zip(second, others))
        moved = [float(first(*[tensor(a + h * k * o) for a, o in zip(arrays, others)])[1].detach()) for k in (1, -1, 2, -2)]
        assert found == pytest.approx((8 * (moved[0] - moved[1]) - moved[2] + moved[3]) / (12 * h), rel=10 * rtol, abs=10 * rtol)


# ---------------------------------------------------------------------------------------------------- einsum

SPECS = [("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("ii", (3, 3)), ("ii->i", (3, 3)), ("i,i->i", (3,), (3,)),
         ("bij,bjk->bik", (5, 2, 3), (5, 3, 4)), ("...ij,...jk->...ik", (5, 1, 2, 3), (6, 3, 4)),
         ("ij,ij,ik->k", (2, 3), (2, 3), (2, 4)),
         ("bn,anm,bm->ba", (2, 5), (3, 5, 4), (2, 4)), ("...ii->...i", (2, 3, 3)), ("ij,j->", (2, 3), (3,)), ("ij->ji", (2, 3)),
         ("iij,jkk->ik", (2, 2, 3), (3, 4, 4)), ("i...->...", (2, 3, 4)), ("a,b,c->cab", (2,), (3,), (4,)), ("->", ()),
         (",ij->ij", (), (2, 3)), ("iiii->i", (2, 2, 2, 2)), ("i,j->ij", (0,), (3,)), (" i j , j -> i ", (2, 3), (3,))]


@pytest.mark.parametrize("case", SPECS, ids=[s[0] for s in SPECS])
def test_einsum_is_numpys_and_its_gradient_the_slope(case):
    spec, *shapes = case
    arrays = [RNG.normal(size=s) for s in shapes]
    np.testing.assert_allclose(minigrad.einsum(spec, *map(tensor, arrays)).numpy(), np.einsum(spec, *arrays), atol=1e-12)
    np.testing.assert_allclose(minigrad.einsum(spec, [tensor(a) for a in arrays]).numpy(), np.einsum(spec, *arrays), atol=1e-12)
    assert isinstance(minigrad.einsum(spec, *arrays), (np.ndarray, np.generic))
    check_gradients(lambda *t: minigrad.einsum(spec, *t), *arrays)


def test_einsum_with_numbers_for_letters():
    a, b = RNG.normal(size=(2, 3)), RNG.normal(size=(3, 4))
    np.testing.assert_allclose(minigrad.einsum(tensor(a), [0, 1], tensor(b), [1, 2], [2, 0]).numpy(), (a @ b).T)
    np.testing.assert_allclose(minigrad.einsum(tensor(a), [0, 1], tensor(b), [1, 2]).numpy(), a @ b)
    x, y = RNG.normal(size=(5, 2, 3)), RNG.normal(size=(3, 4))
    np.testing.assert_allclose(minigrad.einsum(tensor(x), [..., 1], tensor(y), [1, 2], [..., 2]).numpy(), x @ y)


def test_einsum_broadcasts_sizes_of_one():
    a, b = RNG.normal(size=(2, 1)), RNG.normal(size=(3, 4))
    np.testing.assert_allclose(minigrad.einsum("ij,kj->ik", tensor(a), tensor(b)).numpy(), np.broadcast_to(a, (2, 4)) @ b.T)
    check_gradients(lambda x, y: minigrad.einsum("ij,kj->ik", x, y), a, b)


@pytest.mark.parametrize(("spec", "shapes", "match"), [
    ("ij,jk->ik", [(2, 3)], "fewer operands were provided|names 2, got 1"),
    ("ij->ij", [(2, 3, 4)], "does not match the number of dim"), ("ij,jk->ik", [(2, 3), (4, 5)], "subscript j has sizes 3 and 4"),
    ("ii->i", [(2, 3)], "repeated for operand 0 but the sizes don't"),
    ("ij->k", [(2, 3)], "output subscript k does not appear"), ("ij->ii", [(2, 3)], "output subscript i appears more than once"),
    ("i1->i", [(2, 3)], "invalid subscript"), ("...i...->i", [(2, 3)], "an ellipsis was already found")])
def test_einsum_says_what_is_wrong(spec, shapes, match):
    with pytest.raises(RuntimeError, match=match):
        minigrad.einsum(spec, *[tensor(RNG.normal(size=s)) for s in shapes])


def test_einsum_needs_operands():
    with pytest.raises(ValueError, match="at least one operand"):
        minigrad.einsum("ij")


# ---------------------------------------------------------------------------------------------------- other products

@pytest.mark.parametrize(("ours", "numpys", "shapes"), [
    (lambda a, b: minigrad.tensordot(a, b, 2), lambda a, b: np.tensordot(a, b, 2), [(2, 3, 4), (3, 4, 5)]),
    (lambda a, b: minigrad.tensordot(a, b, ([1, 2], [2, 0])), lambda a, b: np.tensordot(a, b, ([1, 2], [2, 0])),
     [(2, 3, 4), (4, 5, 3)]),
    (lambda a, b: minigrad.tensordot(a, b, 0), lambda a, b: np.tensordot(a, b, 0), [(2,), (3,)]),
    (minigrad.inner, np.inner, [(2, 3), (4, 3)]), (minigrad.inner, np.inner, [(), (2, 3)]),
    (minigrad.kron, np.kron, [(2, 3), (4, 5)]),
    (minigrad.kron, np.kron, [(2,), (3, 2)]), (linalg.cross, np.cross, [(2, 3), (2, 3)]),
    (lambda a, b, c: linalg.multi_dot([a, b, c]), lambda a, b, c: a @ b @ c, [(2, 5), (5, 3), (3, 4)]),
    (lambda a, b, c: linalg.multi_dot([a, b, c]), lambda a, b, c: a @ b @ c, [(5,), (5, 3), (3,)]),
    (lambda a: linalg.matrix_power(a, 3), lambda a: a @ a @ a, [(3, 3)]),
    (lambda a: linalg.matrix_power(a, 0), lambda a: np.eye(3), [(3, 3)]),
    (lambda a: linalg.vander(a, N=4), lambda a: np.vander(a, 4, increasing=True), [(3,)]),
    (lambda a, b: linalg.vecdot(a, b), lambda a, b: (a * b).sum(-1), [(2, 3), (3,)]),
    (lambda a, b: minigrad.cdist(a, b, 3.0), lambda a, b: (np.abs(a[:, None] - b) ** 3).sum(-1) ** (1 / 3), [(2, 3), (4, 3)])])
def test_products_are_numpys(ours, numpys, shapes):
    arrays = [RNG.normal(size=s) for s in shapes]
    np.testing.assert_allclose(ours(*map(tensor, arrays)).numpy(), numpys(*arrays), atol=1e-12)
    check_gradients(ours, *arrays)


def test_multi_dot_takes_the_cheaper_order():
    """(a b) c would need a 1000 x 1000 matrix."""
    a, b, c = (minigrad.ones(*s, requires_grad=True) for s in ((1000, 2), (2, 1000), (1000, 3)))
    product = linalg.multi_dot([a, b, c])
    assert product.shape == (1000, 3)
    assert product.grad_fn.next_functions[0][0].variable is a  # a @ (b @ c)


# ---------------------------------------------------------------------------------------------------- factorizations

def symmetric(x):
    return x + x.mT


def positive(x):
    return x @ x.mT + minigrad.eye(x.shape[-1], dtype=x.dtype)


GENERAL = RNG.normal(size=(2, 3, 3)) + 3 * np.eye(3)
TALL, WIDE = RNG.normal(size=(4, 2)), RNG.normal(size=(2, 4))


@pytest.mark.parametrize("function", [
    lambda x: linalg.cholesky(positive(x)), lambda x: linalg.cholesky(positive(x), upper=True),
    lambda x: linalg.eigvalsh(symmetric(x)), lambda x: linalg.eigh(symmetric(x)).eigenvectors.abs(),
    lambda x: linalg.eigvals(x).abs(), lambda x: linalg.eig(x).eigenvectors.abs(),
    linalg.svdvals, lambda x: linalg.svd(x).U.abs(), lambda x: linalg.svd(x).Vh.abs(), lambda x: minigrad.svd(x).V.abs(),
    lambda x: linalg.lu(x).L, lambda x: linalg.lu(x).U, lambda x: minigrad.lu_solve(x[..., :1], *linalg.lu_factor(x)),
    lambda x: linalg.qr(x).Q.abs(), linalg.det, minigrad.logdet, lambda x: linalg.slogdet(x).logabsdet, linalg.pinv,
    linalg.cond, lambda x: linalg.cond(x, 1), lambda x: linalg.matrix_norm(x, "nuc"), lambda x: linalg.matrix_norm(x, 2),
    lambda x: linalg.matrix_norm(x, -2), lambda x: linalg.norm(x, float("inf"), dim=(-2, -1)), linalg.matrix_norm,
    lambda x: linalg.solve(x, x.mT), lambda x: linalg.solve(x, x[..., 0]), lambda x: linalg.solve(x, x.mT, left=False),
    lambda x: minigrad.cholesky_solve(x, linalg.cholesky(positive(x))),
    lambda x: minigrad.cholesky_inverse(linalg.cholesky(positive(x))), lambda x: linalg.householder_product(x, x[..., 0]),
    lambda x: minigrad.ormqr(x, x[..., 0], x), lambda x: linalg.inv_ex(x).inverse, lambda x: linalg.lstsq(x, x.mT).solution,
    lambda x: linalg.matrix_power(x, -2), lambda x: linalg.tensorinv(x[0], 1)])
def test_derivatives_of_factorizations(function):
    check_gradients(function, GENERAL, rtol=1e-4)


@pytest.mark.parametrize("function", [
    lambda x: linalg.qr(x).Q.abs(), lambda x: linalg.qr(x).R.abs(), lambda x: linalg.svd(x, full_matrices=False).U.abs(),
    lambda x: linalg.svd(x, full_matrices=False).Vh.abs(), linalg.pinv, lambda x: linalg.lu(x).L, lambda x: linalg.lu(x).U])
@pytest.mark.parametrize("array", [TALL, WIDE], ids=["tall", "wide"])
def test_derivatives_of_rectangular_factorizations(function, array):
    check_gradients(function, array, rtol=1e-4)


def test_factors_multiply_to_the_matrix():
    for array in (GENERAL, TALL, WIDE):
        A = tensor(array)
        for product in (lambda a: linalg.qr(a).Q @ linalg.qr(a).R, lambda a: linalg.lu(a).P @ linalg.lu(a).L @ linalg.lu(a).U,
                        lambda a: (linalg.svd(a, False).U * linalg.svd(a, False).S.unsqueeze(-2)) @ linalg.svd(a, False).Vh,
                        lambda a: a @ linalg.pinv(a) @ a):
            np.testing.assert_allclose(product(A).numpy(), array, atol=1e-12)


def test_singular_matrices_are_reported_and_the_ex_forms_say_where():
    A = tensor(np.stack([np.eye(2), np.zeros((2, 2))]))
    for function in (linalg.inv, linalg.cholesky, lambda a: linalg.solve(a, a)):
        with pytest.raises(linalg.LinAlgError, match="could not be completed|singular"):
            function(A)
    assert linalg.inv_ex(A).info.tolist() == [0, 1]
    assert linalg.cholesky_ex(A).info.tolist() == [0, 1]
    assert linalg.cond(A, 1).tolist() == [1.0, float("inf")]
    assert linalg.matrix_rank(A).tolist() == [2, 0]


def test_determinant_of_a_singular_matrix_has_its_derivatives():
    x = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]])
    check_gradients(linalg.det, x)
    check_gradients(linalg.det, np.zeros((2, 2)))


def test_low_rank_decompositions_are_exact_up_to_the_rank():
    minigrad.manual_seed(0)
    a = RNG.normal(size=(6, 2)) @ RNG.normal(size=(2, 5))
    U, S, V = minigrad.svd_lowrank(tensor(a), q=3)
    np.testing.assert_allclose(((U * S) @ V.mT).numpy(), a, atol=1e-10)
    U, S, V = minigrad.pca_lowrank(tensor(a), q=3)
    np.testing.assert_allclose(((U * S) @ V.mT).numpy(), a - a.mean(0), atol=1e-10)


def test_complex_gradients_of_a_chain_of_factorizations():
    z = RNG.normal(size=(3, 3)) + 1j * RNG.normal(size=(3, 3)) + 3 * np.eye(3)

    def function(x, y):
        A = minigrad.complex(x, y)
        parts = [linalg.inv(A).abs(), linalg.det(A).abs().expand(3, 3), linalg.svdvals(A).expand(3, 3), linalg.pinv(A).imag,
                 linalg.eigvals(A).abs().expand(3, 3), linalg.lu(A).U.real, linalg.qr(A).Q.abs(), linalg.matrix_exp(A / 4).real]
        return minigrad.stack(parts)
    check_gradients(function, z.real.copy(), z.imag.copy(), rtol=1e-4)


# ---------------------------------------------------------------------------------------------------- layers

def test_bilinear_and_similarities():
    x, y, w, b = (RNG.normal(size=s) for s in ((5, 2), (5, 3), (4, 2, 3), (4,)))
    np.testing.assert_allclose(F.bilinear(*map(tensor, (x, y, w, b))).numpy(), np.einsum("ni,oij,nj->no", x, w, y) + b)
    check_gradients(F.bilinear, x, y, w, b)
    check_gradients(lambda a, c: F.cosine_similarity(a, c, dim=0), x, RNG.normal(size=(5, 2)))
    check_gradients(F.pairwise_distance, x, RNG.normal(size=(5, 2)))
    check_gradients(F.pdist, x)


def test_linear_of_mixed_dtypes_says_which_is_which():
    with pytest.raises(RuntimeError, match="'input' and 'weight' to have the same dtype"):
        F.linear(minigrad.ones(2, 3), minigrad.ones(4, 3, dtype=minigrad.float64))


def test_eigenvalues_of_a_pair_of_matrices():
    x = RNG.normal(size=(6, 6))
    a, b = x + x.T, x @ x.T + np.eye(6)
    for largest in (True, False):
        values, vectors = minigrad.lobpcg(tensor(a), k=2, B=tensor(b), largest=largest)
        expected = np.sort(np.linalg.eigvals(np.linalg.solve(b, a)).real)
        np.testing.assert_allclose(values.numpy(), expected[::-1][:2] if largest else expected[:2])
        np.testing.assert_allclose(a @ vectors.numpy(), b @ vectors.numpy() * values.numpy(), atol=1e-9)
    with pytest.raises(ValueError, match="smaller than 3 x the number"):
        minigrad.lobpcg(tensor(a), k=3)


def test_powers_of_a_vector_from_high_to_low():
    x = RNG.normal(size=4)
    np.testing.assert_allclose(minigrad.vander(tensor(x)).numpy(), np.vander(x))
    np.testing.assert_allclose(minigrad.vander(tensor(x), 3, increasing=True).numpy(), np.vander(x, 3, increasing=True))
    np.testing.assert_allclose(minigrad.vander(tensor(x), 1).numpy(), np.ones((4, 1)))


def test_reflections_of_geqrf_give_q():
    a, tau = minigrad.geqrf(tensor(TALL))
    q = minigrad.orgqr(a, tau)
    np.testing.assert_allclose((q @ a[:2].triu()).numpy(), TALL, atol=1e-12)
    np.testing.assert_allclose(minigrad.ormqr(a, tau, tensor(np.eye(4)))[:, :2].numpy(), q.numpy(), atol=1e-12)


def test_norms_of_matrices_without_elements_are_zero_where_they_are_largest_sums():
    for size, orders in (((0, 3), [np.inf]), ((3, 0), [1]), ((0, 0), [1, np.inf])):
        for order in ["fro", "nuc", 2, *orders]:
            assert linalg.matrix_norm(minigrad.ones(size), order).item() == 0
    with pytest.raises(IndexError, match="non-zero size"):
        linalg.matrix_norm(minigrad.ones(0, 0), -1)


def test_arguments_of_linalg_are_refused_with_pytorchs_classes():
    for call, kind, match in (
        (lambda: linalg.norm(minigrad.ones(2, 2), "x"), RuntimeError, "Order x not supported"),
        (lambda: linalg.vector_norm(minigrad.ones(2).double(), dtype=minigrad.float32), RuntimeError, "without narrowing"),
        (lambda: linalg.solve(minigrad.eye(2), tensor(1.)), RuntimeError, "at least 1 dimension"),
        (lambda: minigrad.lu_solve(minigrad.ones(2), *linalg.lu_factor(minigrad.eye(2))), RuntimeError, "at least 2 dimensions"),
        (lambda: minigrad.mm(minigrad.ones(2, 2).bool(), minigrad.ones(2, 2).bool()), NotImplementedError, "'Bool'"),
        (lambda: minigrad.einsum("i", None), TypeError, "operand 0 must be a Tensor, not NoneType"),
        (lambda: minigrad.einsum(minigrad.ones(2), [60]), ValueError, "subscript 60 is not within"),
        (lambda: minigrad.vander(minigrad.ones(2), -1), RuntimeError, "N must be non-negative"),
        (lambda: minigrad.cov(tensor([True])), RuntimeError, "bool dtype is not supported"),
        (lambda: minigrad.trapezoid(tensor([True, False])), RuntimeError, "bool dtype is not supported"),
        (lambda: minigrad.sign(tensor([1j])), NotImplementedError, "sgn"),
        (lambda: minigrad.ones(2).long().uniform_(), NotImplementedError, "expected a floating"),
    ):
        with pytest.raises(kind, match=match):
            call()
