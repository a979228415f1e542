"""Normalization: values minus their mean, over the root of their variance, in groups of different shapes."""

from __future__ import annotations

import numpy as np

from tests.module_cases import Bad, ModuleCase, normal

EPS = 1e-5


def standard(x, axes):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + EPS)


def scaled(state, x, shape):
    for name, act in (("weight", np.multiply), ("bias", np.add)):
        if name in state:
            x = act(x, state[name].reshape(shape))
    return x


def column(x):
    return (-1, *[1] * (x.ndim - 2))


def batch_norm(state, x):
    return scaled(state, standard(x, (0, *range(2, x.ndim))), column(x))


def by_running_statistics(state, x):
    mean, var = [state[name].reshape(column(x)) for name in ("running_mean", "running_var")]
    return scaled(state, (x - mean) / np.sqrt(var + EPS), column(x))


def instance_norm(state, x):
    return scaled(state, standard(x, tuple(range(2, x.ndim))), column(x))


def group_norm(groups):
    def run(state, x):
        parts = x.reshape(len(x), groups, -1)
        return scaled(state, standard(parts, (2,)).reshape(x.shape), column(x))
    return run


def root_mean_square(state, x):
    return state["weight"] * x / np.sqrt((x**2).mean(-1, keepdims=True) + np.finfo(np.float64).eps)


def root_mean_square_of_matrices(state, x):
    return x / np.sqrt((x**2).mean((-2, -1), keepdims=True) + 0.1)


def across_channels(size, alpha, beta, k):
    """Each value over a power of the sum of squares in a window of `size` channels round its own."""
    def run(state, x):
        before = size // 2
        square = np.pad(x**2, [(0, 0), (before, size - 1 - before), *[(0, 0)] * (x.ndim - 2)])
        near = sum(square[:, j:j + x.shape[1]] for j in range(size))
        return x / (k + alpha / size * near) ** beta
    return run


def cases_of(n):
    """Those of ``BatchNorm1d``, ``2d`` or ``3d``, of ``InstanceNorm`` and of their lazy forms."""
    x = normal(3, 2, *(4, 3, 2)[:n])
    batch, instance = f"BatchNorm{n}d", f"InstanceNorm{n}d"
    wrong = Bad((normal(2),), ValueError, r"expected \dD (or \dD )?input \(got 1D input\)")
    return {
        batch: [ModuleCase(lambda t: getattr(t.nn, batch)(2), (x,), batch_norm, evaluated=by_running_statistics,
                           bad=[wrong, Bad((normal(3, 3, *(4, 3, 2)[:n]),), RuntimeError,
                                           "running_mean should contain 3 elements")]),
                ModuleCase(lambda t: getattr(t.nn, batch)(2, affine=False, track_running_stats=False), (x,), batch_norm)],
        instance: [ModuleCase(lambda t: getattr(t.nn, instance)(2, affine=True), (x,), instance_norm, batch=0, bad=[wrong]),
                   ModuleCase(lambda t: getattr(t.nn, instance)(2, track_running_stats=True), (x,), instance_norm,
                              evaluated=by_running_statistics)],
        f"Lazy{batch}": [ModuleCase(lambda t: getattr(t.nn, f"Lazy{batch}")(), (x,), batch_norm,
                                     evaluated=by_running_statistics)],
        f"Lazy{instance}": [ModuleCase(lambda t: getattr(t.nn, f"Lazy{instance}")(affine=True), (x,), instance_norm,
                                               evaluated=by_running_statistics)],
    }


CASES = {
    **cases_of(1), **cases_of(2), **cases_of(3),
    "SyncBatchNorm": [ModuleCase(lambda t: t.nn.SyncBatchNorm(2), (normal(3, 2, 4),), batch_norm, evaluated=by_running_statistics,
                                 bad=[Bad((normal(2),), ValueError, r"expected at least 2D input \(got 1D input\)")])],
    "LayerNorm": [
        ModuleCase(lambda t: t.nn.LayerNorm((3, 4)), (normal(2, 3, 4),),
                   lambda state, x: scaled(state, standard(x, (-2, -1)), (3, 4)), batch=0,
                   bad=[Bad((normal(2, 4, 3),), RuntimeError, "expected input with shape")]),
        ModuleCase(lambda t: t.nn.LayerNorm(4, bias=False), (normal(2, 3, 4),),
                   lambda state, x: scaled(state, standard(x, (-1,)), 4))],
    "RMSNorm": [ModuleCase(lambda t: t.nn.RMSNorm(4), (normal(2, 3, 4),), root_mean_square, batch=0,
                           bad=[Bad((normal(2, 4, 3),), RuntimeError, "expected input with shape")]),
                ModuleCase(lambda t: t.nn.RMSNorm((3, 4), eps=0.1, elementwise_affine=False), (normal(2, 3, 4),),
                           root_mean_square_of_matrices)],
    "GroupNorm": [ModuleCase(lambda t: t.nn.GroupNorm(2, 4), (normal(2, 4, 3),), group_norm(2),
                             bad=[Bad((normal(2, 3, 3),), RuntimeError,
                                      "number of channels in input to be divisible by num_groups")])],
    "LocalResponseNorm": [ModuleCase(lambda t: t.nn.LocalResponseNorm(3, alpha=0.3, beta=0.75, k=1.5), (normal(2, 4, 3),),
                                     across_channels(3, 0.3, 0.75, 1.5),
                                     bad=[Bad((normal(2, 4),), ValueError, "Expected 3D or higher")])],
    "CrossMapLRN2d": [ModuleCase(lambda t: t.nn.CrossMapLRN2d(3, alpha=0.3, beta=0.75, k=1.5), (normal(2, 4, 3, 2),),
                                 across_channels(3, 0.3, 0.75, 1.5),
                                 bad=[Bad((normal(2, 4),), ValueError, "Expected 3D or higher")])],
}
