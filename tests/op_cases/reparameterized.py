"""Samples that move with their parameters: seeded anew before each evaluation, so that they are a function."""

from __future__ import annotations

import numpy as np

from tests.op_cases import OpCase, arrays, f, sample, shapes
from tests.op_cases.sampling import draws, seeded


def gammas(concentration):
    return draws().standard_gamma(concentration)


def dirichlet(concentration):
    stream = draws()
    boosted, waits = stream.standard_gamma(concentration + 1), stream.standard_exponential(concentration.shape)
    parts = boosted * np.exp(-waits / concentration)
    return parts / parts.sum(-1, keepdims=True)


QUANTILES = "the sample moves as a quantile does, not as the steps of the generator: tests/distributions measures it"

CASES = {
    "standard_gamma": OpCase(sample(arrays(low=0.5, high=9.0)), gammas, setup=seeded, drawn=True, underivable=QUANTILES,
                             saves=("out",)),
    "sample_dirichlet": OpCase(sample(arrays(shapes(min_dims=1, min_side=1), low=0.5, high=9.0)), dirichlet, setup=seeded,
                               drawn=True, underivable=QUANTILES, saves=("out",), examples=[((f(2, 3),), {})]),
}
