"""Products of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, arrays, f, sample

SIDE = st.integers(0, 4)
FACTOR = st.sampled_from([0.0, 1, 0.5, -2.0])


def of_sizes(*letters: str, pool: Any = SIDE, **settings: Any) -> Any:
    """Arrays whose dimensions are named by letters: one letter has one size in all of them."""
    names = sorted(set("".join(letters)) - {"1"})

    def make(sizes: tuple[int, ...]) -> Any:
        size = {**dict(zip(names, sizes)), "1": 1}
        return sample(*[arrays(tuple(size[c] for c in word)) for word in letters], **settings)
    return st.tuples(*[pool] * len(names)).flatmap(make)


def one_of(*words: tuple[str, ...], **settings: Any) -> Any:
    return st.one_of([of_sizes(*w, **settings) for w in words])


def einsum(spec: str) -> Any:
    return lambda a, b: np.einsum(spec, a, b)


def blended(spec: str) -> Any:
    def reference(input: Any, a: Any, b: Any, beta: Any = 1, alpha: Any = 1) -> Any:
        return beta * input + alpha * np.einsum(spec, a, b)
    return reference


def matmul_reference(a: Any, b: Any) -> Any:
    left, right = a if a.ndim > 1 else a[None], b if b.ndim > 1 else b[:, None]
    out = (left[..., :, :, None] * right[..., None, :, :]).sum(axis=-2)
    out = out if a.ndim > 1 else out[..., 0, :]
    return out if b.ndim > 1 else out[..., 0]


def linear_reference(x: Any, w: Any, b: Any = None) -> Any:
    out = np.einsum("...i,oi->...o", x, w) if w.ndim == 2 else np.einsum("...i,i->...", x, w)
    return out if b is None else out + b


def contract_reference(a: Any, b: Any, spec: Any) -> Any:
    return np.einsum(a, list(spec[0]), b, list(spec[1]), list(spec[2]))


CASES = {
    "matmul": OpCase(one_of(("k", "k"), ("nk", "k"), ("k", "km"), ("nk", "km"), ("bnk", "km"), ("bnk", "k"), ("k", "bkm"),
                            ("nk", "bkm"), ("bnk", "bkm"), ("1nk", "bkm"), ("ab" "nk", "bkm")),
                     matmul_reference, analytic=True, complex=True,
                     bad=[Bad((f(2, 3), f(4, 5)), {}, RuntimeError, r"mat1 and mat2 shapes cannot be multiplied \(2x3 and 4x5\)"),
                          Bad((f(2, 3), f(2, 3)), {}, RuntimeError, r"transpose the second"),
                          Bad((f(), f(3)), {}, RuntimeError, r"at least 1D"),
                          Bad((f(2, 2, 3), f(5, 3, 4)), {}, RuntimeError, r"batch dimensions \[2\] and \[5\]"),
                          Bad((f(2, 3), f(3, 2, dtype=np.float32)), {}, RuntimeError, r"same dtype")]),
    "linear": OpCase(st.one_of(one_of(("ni", "oi", "o"), ("abi", "oi", "o"), ("i", "oi", "o"), ("ni", "oi", ""), ("ni", "i", "")),
                               sample(arrays((2, 3)), arrays((4, 3)), None)),
                     linear_reference, analytic=True, complex=True,
                     bad=[Bad((f(2, 3), f(4, 5), None), {}, RuntimeError, r"\(2x3 and 5x4\): input has 3 features"),
                          Bad((f(2, 3), f(4, 3), f(3)), {}, RuntimeError, r"bias of shape \[3\]"),
                          Bad((f(), f(4, 3), None), {}, RuntimeError, r"at least 1D")]),
    "mm": OpCase(of_sizes("nk", "km"), einsum("nk,km->nm"), analytic=True, complex=True,
                 bad=[Bad((f(2, 3), f(4, 5)), {}, RuntimeError, r"cannot be multiplied \(2x3 and 4x5\)"),
                      Bad((f(2), f(2, 3)), {}, RuntimeError, r"must be a matrix")]),
    "bmm": OpCase(of_sizes("bnk", "bkm"), einsum("bnk,bkm->bnm"), analytic=True, complex=True,
                  bad=[Bad((f(2, 3, 4), f(2, 5, 6)), {}, RuntimeError, r"batch2 tensor to be: \[2, 4\] but got: \[2, 5\]"),
                       Bad((f(3, 4), f(2, 4, 6)), {}, RuntimeError, r"must be a batch of matrices")]),
    "mv": OpCase(of_sizes("nk", "k"), einsum("nk,k->n"), analytic=True, complex=True,
                 bad=[Bad((f(2, 3), f(4)), {}, RuntimeError, r"size mismatch, got mat \(2x3\), vec \(4\)")]),
    "dot": OpCase(of_sizes("n", "n"), einsum("n,n->"), analytic=True, complex=True,
                  bad=[Bad((f(2, 3), f(3)), {}, RuntimeError, r"1D tensors expected, but got 2D and 1D"),
                       Bad((f(2), f(3)), {}, RuntimeError, r"inconsistent tensor size, expected tensor \[2\] and src \[3\]")]),
    "vdot": OpCase(of_sizes("n", "n"), lambda a, b: (a.conj() * b).sum(), complex=True,
                   bad=[Bad((f(2), f(3)), {}, RuntimeError, r"inconsistent tensor size")]),
    "outer": OpCase(of_sizes("n", "m"), np.multiply.outer, analytic=True, complex=True,
                    bad=[Bad((f(2, 2), f(3)), {}, RuntimeError, r"must be a vector")]),
    "addmm": OpCase(one_of(("nm", "nk", "km"), ("m", "nk", "km"), ("", "nk", "km"), ("1m", "nk", "km"), beta=FACTOR,
                           alpha=FACTOR),
                    blended("nk,km->nm"), analytic=True, complex=True,
                    bad=[Bad((f(2, 4), f(2, 3), f(4, 4)), {}, RuntimeError, r"cannot be multiplied \(2x3 and 4x4\)"),
                         Bad((f(3, 4), f(2, 3), f(3, 4)), {}, RuntimeError, r"cannot be expanded to the shape of the product")]),
    "addmv": OpCase(one_of(("n", "nk", "k"), ("1", "nk", "k"), beta=FACTOR, alpha=FACTOR), blended("nk,k->n"), analytic=True,
                    complex=True,
                    bad=[Bad((f(2), f(2, 3), f(4)), {}, RuntimeError, r"size mismatch, got input \[2\], mat \(2x3\), vec")]),
    "addr": OpCase(one_of(("nm", "n", "m"), ("m", "n", "m"), beta=FACTOR, alpha=FACTOR), blended("n,m->nm"), analytic=True,
                   complex=True, bad=[Bad((f(2, 2), f(2), f(3)), {}, RuntimeError, r"cannot be expanded")]),
    "baddbmm": OpCase(one_of(("bnm", "bnk", "bkm"), ("nm", "bnk", "bkm"), ("b1m", "bnk", "bkm"), beta=FACTOR, alpha=FACTOR),
                      blended("bnk,bkm->bnm"), analytic=True, complex=True,
                      bad=[Bad((f(2, 2, 2), f(2, 2, 3), f(1, 3, 2)), {}, RuntimeError, r"batch2 tensor to be: \[2, 3\]")]),
    "addbmm": OpCase(one_of(("nm", "bnk", "bkm"), ("m", "bnk", "bkm"), beta=FACTOR, alpha=FACTOR), blended("bnk,bkm->nm"),
                     analytic=True, complex=True,
                     bad=[Bad((f(2, 2), f(2, 2, 3), f(1, 3, 2)), {}, RuntimeError, r"batch2 tensor to be: \[2, 3\]")]),
    "contract": OpCase(st.one_of(
        of_sizes("bij", "bjk", spec=((0, 1, 2), (0, 2, 3), (1, 3, 0))), of_sizes("ij", "ij", spec=((0, 1), (0, 1), ())),
        of_sizes("ij", "ji", spec=((0, 1), (1, 0), (1, 0))), of_sizes("i", "jk", spec=((0,), (1, 2), (2, 0, 1)))),
        contract_reference, analytic=True, complex=True),
    "vector_cross": OpCase(st.one_of(of_sizes("nv", "nv", pool=st.just(3), dim=st.sampled_from([0, 1, -1])),
                                     of_sizes("v1", "vn", pool=st.just(3), dim=st.just(0))),
                           lambda a, b, dim: np.cross(a, b, axis=dim), analytic=True, complex=True,
                           bad=[Bad((f(2, 3), f(2, 3)), {"dim": 0}, RuntimeError, r"must have length 3. Got 2 and 2"),
                                Bad((f(3), f(2, 3)), {}, RuntimeError, r"same number of dimensions")]),
}
