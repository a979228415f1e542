"""Dropout: in training what is true of any draw, in evaluation the input."""

from __future__ import annotations

import numpy as np

from tests.module_cases import Bad, ModuleCase, normal

P = 0.25
TEXT = Bad(("text",), TypeError, r"argument 'input' must be a Tensor, not str")
# What AlphaDropout puts in the place of a dropped value: SELU's limit for small numbers.
LOWEST = -1.0507009873554804934193349852946 * 1.6732632423543772848170429916717


def dropped(share, kept, whole):
    """Whether a result keeps `kept(x)` and drops to a constant elsewhere, about `share` of it; by channels if `whole`."""
    def check(state, x, y):
        stays = np.isclose(y, kept(x))
        gone = y[~stays]
        if whole:
            by_channel = stays.reshape(*x.shape[:2], -1)
            if not (by_channel.all(-1) | ~by_channel.any(-1)).all():
                return False
        return 0 < len(gone) and np.ptp(gone) < 1e-6 and abs(len(gone) / x.size - share) < 0.12
    return check


def scale(x):
    return x / (1 - P)


def selu_scale(x):
    """The affine map that keeps mean 0 and variance 1 with a share `P` of the values at LOWEST."""
    a = ((1 - P) * (1 + P * LOWEST**2)) ** -0.5
    return a * x - a * LOWEST * P


def case(name, x, kept=scale, whole=False):
    return [ModuleCase(lambda t: getattr(t.nn, name)(P), (x,), dropped(P, kept, whole), evaluated=lambda state, x: x, drawn=True,
                       bad=[TEXT])]


CASES = {
    "Dropout": case("Dropout", normal(10, 20)),
    "Dropout1d": case("Dropout1d", normal(10, 40, 3), whole=True),
    "Dropout2d": case("Dropout2d", normal(10, 40, 2, 2), whole=True),
    "Dropout3d": case("Dropout3d", normal(10, 40, 1, 2, 2), whole=True),
    "AlphaDropout": case("AlphaDropout", normal(10, 20), selu_scale),
    "FeatureAlphaDropout": case("FeatureAlphaDropout", normal(10, 40, 2), selu_scale, whole=True),
}
