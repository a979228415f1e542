"""Convolutions and transposed convolutions: sums over every position of every window."""

from __future__ import annotations

import numpy as np

from tests.module_cases import Bad, ModuleCase, normal

MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def places(size, kernel, stride, dilation):
    """Each output position, and the slices of the input under its window."""
    for position in np.ndindex(*size):
        window = [slice(p * stride, p * stride + dilation * (k - 1) + 1, dilation) for p, k in zip(position, kernel)]
        yield position, tuple(window)


def convolve(state, x, stride=1, padding=0, dilation=1, groups=1, mode="zeros"):
    w = state["weight"]
    kernel = w.shape[2:]
    both = padding if isinstance(padding, list) else [(padding, padding)] * len(kernel)
    x = np.pad(x, [(0, 0), (0, 0), *both], mode=MODES[mode])
    size = [(n - dilation * (k - 1) - 1) // stride + 1 for n, k in zip(x.shape[2:], kernel)]
    y = np.zeros((len(x), len(w), *size))
    for g in range(groups):
        given, made = (slice(g * n // groups, (g + 1) * n // groups) for n in (x.shape[1], len(w)))
        for position, window in places(size, kernel, stride, dilation):
            axes = range(1, x.ndim)
            y[(slice(None), made, *position)] = np.tensordot(x[(slice(None), given, *window)], w[made], (axes, axes))
    return y + state["bias"].reshape(-1, *[1] * len(kernel)) if "bias" in state else y


def transpose(state, x, stride=1, padding=0, output_padding=0, dilation=1, groups=1):
    """Each input element adds its multiple of the kernel to its window of the output."""
    w = state["weight"]
    kernel, out = w.shape[2:], w.shape[1] * groups
    full = [(n - 1) * stride + dilation * (k - 1) + 1 + output_padding for n, k in zip(x.shape[2:], kernel)]
    y = np.zeros((len(x), out, *full))
    for g in range(groups):
        given, made = (slice(g * n // groups, (g + 1) * n // groups) for n in (x.shape[1], out))
        for position, window in places(x.shape[2:], kernel, stride, dilation):
            y[(slice(None), made, *window)] += np.tensordot(x[(slice(None), given, *position)], w[given], 1)
    y = y[(slice(None), slice(None), *[slice(padding, n - padding) for n in full])]
    return y + state["bias"].reshape(-1, *[1] * len(kernel)) if "bias" in state else y


def layer(name, *sizes, **settings):
    return lambda t: getattr(t.nn, name)(*sizes, **settings)


def cases_of(n):
    """Those of ``Conv1d``, ``Conv2d`` or ``Conv3d`` and of its transpose."""
    name, turned = f"Conv{n}d", f"ConvTranspose{n}d"
    small, image = normal(2, 2, *(3,) * n), normal(2, 2, *(5, 4, 4)[:n])
    wrong = [Bad((normal(2, 3, *(5, 4, 4)[:n]),), RuntimeError, "to have 2 channels, but got 3 channels"),
             Bad((normal(3),), RuntimeError, rf"Expected {n + 1}D \(unbatched\) or {n + 2}D \(batched\)")]
    grouped = {"stride": 2, "padding": 1, "dilation": 2, "groups": 2}
    moved = {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2}
    uneven = normal(1, 1, *(5, 4, 3)[:n])
    return {
        name: [ModuleCase(layer(name, 2, 3, 2), (image,), convolve, batch=0, bad=wrong),
               ModuleCase(layer(name, 2, 2, 2, bias=False, **grouped), (image,),
                          lambda state, x: convolve(state, x, **grouped)),
               ModuleCase(layer(name, 1, 1, 2, padding="same"), (uneven,),
                          lambda state, x: convolve(state, x, padding=[(0, 1)] * n)),
               *[ModuleCase(layer(name, 1, 1, 2, padding=1, padding_mode=mode), (uneven,),
                            lambda state, x, mode=mode: convolve(state, x, padding=1, mode=mode)) for mode in MODES]],
        turned: [ModuleCase(layer(turned, 2, 3, 2), (small,), transpose, batch=0, bad=wrong[:1]),
                 ModuleCase(layer(turned, 2, 2, 3, bias=False, **moved), (small,),
                            lambda state, x: transpose(state, x, **moved))],
        f"Lazy{name}": [ModuleCase(lambda t: getattr(t.nn, f"Lazy{name}")(3, 2), (image,), convolve, batch=0)],
        f"Lazy{turned}": [ModuleCase(lambda t: getattr(t.nn, f"Lazy{turned}")(3, 2), (small,), transpose, batch=0)],
    }


CASES = {**cases_of(1), **cases_of(2), **cases_of(3)}
