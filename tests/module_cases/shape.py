"""Layers that rearrange or repeat elements, and those that draw images larger."""

from __future__ import annotations

import numpy as np

from tests.module_cases import Bad, ModuleCase, normal


def shuffled(r, inverse=False):
    """(N, C*r*r, H, W) to (N, C, H*r, W*r), or back."""
    def run(state, x):
        n, c, h, w = x.shape
        if inverse:
            return x.reshape(n, c, h // r, r, w // r, r).transpose(0, 1, 3, 5, 2, 4).reshape(n, c * r * r, h // r, w // r)
        return x.reshape(n, c // (r * r), r, r, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(n, c // (r * r), h * r, w * r)
    return run


def channels_shuffled(state, x):
    return x.reshape(len(x), 2, -1, *x.shape[2:]).swapaxes(1, 2).reshape(x.shape)


def windows(state, x):
    """The 2x2 windows of an image as columns."""
    n, c, h, w = x.shape
    columns = [x[:, :, i:i + 2, j:j + 2].reshape(n, c * 4) for i in range(h - 1) for j in range(w - 1)]
    return np.stack(columns, axis=-1)


def overlapped(state, x):
    """Columns of 2x2 windows added into a 3x4 image."""
    y = np.zeros((len(x), x.shape[1] // 4, 3, 4))
    for k, (i, j) in enumerate(np.ndindex(2, 3)):
        y[:, :, i:i + 2, j:j + 2] += x[:, :, k].reshape(len(x), -1, 2, 2)
    return y


def repeated(state, x):
    return x.repeat(2, -1) if x.ndim == 3 else x.repeat(2, -1).repeat(2, -2)


def line(x, size, corners):
    """Linear interpolation along the last dimension."""
    n = x.shape[-1]
    at = np.arange(size) * (n - 1) / (size - 1) if corners else np.clip((np.arange(size) + 0.5) * n / size - 0.5, 0, n - 1)
    low = np.floor(at).astype(int)
    return x[..., low] * (1 - (at - low)) + x[..., np.minimum(low + 1, n - 1)] * (at - low)


def bilinear(corners):
    def run(state, x):
        rows = line(x.swapaxes(-1, -2), 2 * x.shape[-2], corners).swapaxes(-1, -2)
        return line(rows, 2 * x.shape[-1], corners)
    return run


CASES = {
    "Flatten": [ModuleCase(lambda t: t.nn.Flatten(), (normal(2, 3, 4),), lambda state, x: x.reshape(2, 12),
                           bad=[Bad((np.ones(()),), IndexError, "Dimension out of range")]),
                ModuleCase(lambda t: t.nn.Flatten(0, 1), (normal(2, 3, 4),), lambda state, x: x.reshape(6, 4))],
    "Unflatten": [ModuleCase(lambda t: t.nn.Unflatten(1, (2, -1)), (normal(2, 6),), lambda state, x: x.reshape(2, 2, 3),
                             bad=[Bad((normal(2, 5),), RuntimeError,
                                      r"Provided sizes \[2, -1\] don't multiply up to the size of dim 1 \(5\)")])],
    "PixelShuffle": [ModuleCase(lambda t: t.nn.PixelShuffle(2), (normal(2, 8, 2, 3),), shuffled(2), batch=0,
                                bad=[Bad((normal(2, 6, 2, 3),), RuntimeError,
                                         "to be divisible by the square of upscale_factor")])],
    "PixelUnshuffle": [ModuleCase(lambda t: t.nn.PixelUnshuffle(2), (normal(2, 2, 4, 6),), shuffled(2, True), batch=0,
                                  bad=[Bad((normal(2, 2, 3, 6),), RuntimeError,
                                           "height and width to be divisible by downscale_factor")])],
    "ChannelShuffle": [ModuleCase(lambda t: t.nn.ChannelShuffle(2), (normal(2, 6, 3),), channels_shuffled,
                                  bad=[Bad((normal(2, 5, 3),), RuntimeError, "Number of channels must be divisible by groups")])],
    "Unfold": [ModuleCase(lambda t: t.nn.Unfold(2), (normal(2, 2, 3, 4),), windows, batch=0,
                          bad=[Bad((normal(2, 2),), RuntimeError, "Expected 3D or 4D")])],
    "Fold": [ModuleCase(lambda t: t.nn.Fold((3, 4), 2), (normal(2, 8, 6),), overlapped, batch=0,
                        bad=[Bad((normal(2, 7, 6),), RuntimeError, "divisible by the product of kernel_size")])],
    "Upsample": [
        ModuleCase(lambda t: t.nn.Upsample(scale_factor=2), (normal(2, 2, 3),), repeated,
                   bad=[Bad((normal(3),), NotImplementedError, "Only 3D, 4D and 5D input Tensors supported")]),
        ModuleCase(lambda t: t.nn.Upsample(scale_factor=2, mode="bilinear"), (normal(2, 2, 3, 2),), bilinear(False)),
        ModuleCase(lambda t: t.nn.Upsample((6, 4), mode="bilinear", align_corners=True), (normal(2, 2, 3, 2),), bilinear(True))],
    "UpsamplingNearest2d": [ModuleCase(lambda t: t.nn.UpsamplingNearest2d(scale_factor=2), (normal(2, 2, 3, 2),), repeated)],
    "UpsamplingBilinear2d": [ModuleCase(lambda t: t.nn.UpsamplingBilinear2d(scale_factor=2), (normal(2, 2, 3, 2),),
                                        bilinear(True))],
}
