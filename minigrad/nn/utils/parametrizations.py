"""Ready-made parametrizations: weight norm, spectral norm, orthogonal matrices."""

from __future__ import annotations

from typing import Any

from minigrad import autograd
from minigrad.errors import DimensionError, InvalidValueError, ShapeError
from minigrad.nn import functional as F
from minigrad.nn.modules.module import Module
from minigrad.nn.utils.parametrize import register_parametrization
from minigrad.ops.creation import eye
from minigrad.ops.linear_algebra.products import matmul
from minigrad.ops.reducing.reduction import vector_norm

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def norm_except(v: Any, dim: int) -> Any:
    """The Euclidean norms of the parts of `v` along dimension `dim`, in a shape that broadcasts with it; of all of it for -1."""
    if dim == -1:
        return vector_norm(v)
    return vector_norm(v, 2, tuple(d for d in range(v.ndim) if d != dim % v.ndim), True)


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Any, weight_v: Any) -> Any:
        return weight_v * (weight_g / norm_except(weight_v, self.dim))

    def right_inverse(self, weight: Any) -> tuple[Any, Any]:
        return norm_except(weight, self.dim), weight


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Make a weight the product of its length g and its direction v / |v| (Salimans & Kingma 2016), along each index of `dim`."""
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


class _SpectralNorm(Module):
    """Divides a matrix by its largest singular value, which `n_power_iterations` steps per call keep track of."""

    _u: Any
    _v: Any

    def __init__(self, weight: Any, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise DimensionError(f"Dimension out of range (expected to be in range of [-{weight.ndim}, {weight.ndim - 1}] but "
                                 f"got {dim})")
        if n_power_iterations <= 0:
            raise InvalidValueError("Expected n_power_iterations to be positive, but got "
                                    f"n_power_iterations={n_power_iterations}")
        self.dim, self.eps, self.n_power_iterations = dim % weight.ndim, eps, n_power_iterations
        if weight.ndim > 1:
            with autograd.no_grad():
                matrix = self._matrix(weight)
                u, v = matrix.new_empty((matrix.shape[0],)).normal_(0, 1), matrix.new_empty((matrix.shape[1],)).normal_(0, 1)
                self.register_buffer("_u", F.normalize(u, dim=0, eps=eps))
                self.register_buffer("_v", F.normalize(v, dim=0, eps=eps))
                self._iterate(matrix, 15)

    def _matrix(self, weight: Any) -> Any:
        if self.dim:
            weight = weight.movedim(self.dim, 0)
        return weight.flatten(1)

    def _iterate(self, matrix: Any, steps: int) -> None:
        with autograd.no_grad():
            for _ in range(steps):
                self._u.copy_(F.normalize(matmul(matrix, self._v), dim=0, eps=self.eps))
                self._v.copy_(F.normalize(matmul(matrix.t(), self._u), dim=0, eps=self.eps))

    def forward(self, weight: Any) -> Any:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix.detach(), self.n_power_iterations)
        u, v = self._u.clone(), self._v.clone()  # the next call changes them in place
        return weight / (u * matmul(matrix, v)).sum()

    def right_inverse(self, value: Any) -> Any:
        return value


def spectral_norm(module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
                  dim: int | None = None) -> Any:
    """Keep the largest singular value of a weight at 1 (Miyato et al. 2018); `dim` is that of the outputs."""
    weight = getattr(module, name)
    if dim is None:
        dim = 1 if type(module).__name__.startswith("ConvTranspose") else 0
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))


class _Orthogonal(Module):
    """Gives a matrix with orthonormal rows or columns: ``base`` times the exponential, or Cayley transform, of a skew matrix."""

    base: Any

    def __init__(self, weight: Any, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            size = max(weight.shape[-2:])
            self.register_buffer("base", eye(size, dtype=weight.dtype, device=weight.device).expand(*weight.shape[:-2], size,
                                                                                                    size).clone())
        else:
            self.register_buffer("base", None)

    def forward(self, x: Any) -> Any:
        rows, columns = x.shape[-2:]
        wide = rows < columns
        x = x.mT if wide else x
        n, k = max(rows, columns), min(rows, columns)
        x = F.pad(x.tril(), (0, n - k)) if n > k else x.tril()  # the free numbers of a skew matrix are below the diagonal
        skew = x.tril(-1) - x.tril(-1).mT
        identity = eye(n, dtype=x.dtype, device=x.device)
        if self.orthogonal_map == "matrix_exp":
            q = skew.matrix_exp()
        else:
            q = (identity - skew * 0.5).inverse() @ (identity + skew * 0.5)
        if self.base is not None:
            q = self.base @ q
        q = q[..., :k]
        return q.mT if wide else q

    def right_inverse(self, q: Any) -> Any:
        if self.base is None:
            raise NotImplementedError("without use_trivialization the parameter cannot be found from the matrix")
        if tuple(q.shape[-2:]) != tuple(q.shape[-2:]):
            raise ShapeError("expected a matrix or a batch of matrices")
        wide = q.shape[-2] < q.shape[-1]
        tall = q.mT if wide else q
        n, k = tall.shape[-2:]
        full = F.pad(tall, (0, n - k)) if n > k else tall
        if n > k:
            full = full.clone()
            full[..., k:].normal_()
        basis, r = full.qr()
        basis = basis * r.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)
        self.base.copy_(basis)
        zero = q.new_zeros(tuple(q.shape))
        return zero


def orthogonal(module: Any, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True) -> Any:
    """Keep the rows of a wide matrix, or the columns of a tall one, orthonormal (Lezcano-Casado 2019).

    `orthogonal_map` is ``"matrix_exp"`` or ``"cayley"``. With `use_trivialization` the matrix first becomes its nearest
    factor from a QR decomposition; otherwise it starts from the map of what it was.
    """
    weight = getattr(module, name)
    if weight.ndim < 2:
        raise InvalidValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp"
    if orthogonal_map not in ("matrix_exp", "cayley"):
        raise InvalidValueError('orthogonal_map has to be one of "matrix_exp", "cayley". PyTorch\'s "householder" is not '
                                'supported. '
                                f"Got: {orthogonal_map}")
    return register_parametrization(module, name, _Orthogonal(weight, orthogonal_map, use_trivialization), unsafe=True)
