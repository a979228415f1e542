"""Operations whose result is drawn at random: seeded anew before each evaluation, so that it is a function."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from minigrad import _arrays, random
from tests.op_cases import Bad, OpCase, arrays, f, sample


def seeded() -> None:
    mg.manual_seed(7)


def draws() -> Any:
    seeded()
    return random.draws_on(_arrays.Device("cpu"))


CASES = {
    "coin_flips": OpCase(
        sample(arrays(low=0.0, high=1.0)),
        lambda input, p=None: (draws().random(input.shape, dtype=input.dtype if p is None else np.float32)
                               < (input if p is None else p)).astype(input.dtype),
        setup=seeded, drawn=True, underivable="the result jumps where the probability passes the draw; the rule says zero",
        examples=[((f(2, 3),), {"p": 0.25})],
        bad=[Bad((f(9),), {}, RuntimeError, r"bernoulli expects p to be in \[0, 1\]")]),
    "poisson_counts": OpCase(
        sample(arrays(low=0.0, high=9.0)), lambda input: np.asarray(draws().poisson(input), dtype=input.dtype),
        setup=seeded, drawn=True, underivable="the result is a whole number; the rule says zero",
        bad=[Bad((-f(3),), {}, RuntimeError, "invalid Poisson rate")]),
}
