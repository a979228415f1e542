"""Rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, arrays, f, integers, sample, shapes

ROWS = 4
PLACES = integers(shapes(max_dims=2), 0, ROWS - 1)


def spread(input: Any, index: Any, padding_idx: Any, by_frequency: Any) -> Any:
    out = np.zeros((*index.shape, input.shape[1]))
    for place in np.ndindex(index.shape):
        if index[place] != padding_idx:
            out[place] = input[index[place]] / (np.sum(index == index[place]) if by_frequency else 1)
    return out


def collect(input: Any, index: Any, rows: Any, padding_idx: Any, by_frequency: Any) -> Any:
    out = np.zeros((rows, input.shape[-1]))
    for place in np.ndindex(index.shape):
        if index[place] != padding_idx:
            out[index[place]] += input[place] / (np.sum(index == index[place]) if by_frequency else 1)
    return out


SETTINGS: dict[str, Any] = {"padding_idx": st.sampled_from([None, 2]), "by_frequency": st.booleans()}
OUT = [Bad((f(4, 2), np.array([4])), {}, IndexError, "index 4 is out of bounds for dimension 0 with size 4"),
       Bad((f(4, 2), f(2)), {}, RuntimeError, "Expected tensor for argument #1 'indices'")]

CASES = {
    # Its settings change the gradient only, which then is not that of its forward: collect_rows has their tests.
    "rows_of": OpCase(sample(arrays((ROWS, 3)), PLACES), lambda weight, input: weight[input], analytic=True, complex=True,
                      bad=OUT),
    "spread_rows": OpCase(sample(arrays((ROWS, 3)), PLACES, **SETTINGS), spread, complex=True),
    "collect_rows": OpCase(PLACES.flatmap(lambda index: sample(arrays((*index.shape, 3)), index, rows=ROWS, **SETTINGS)), collect,
                           complex=True),
    "unit_rows": OpCase(sample(PLACES, num_classes=ROWS), lambda input, num_classes: np.eye(num_classes, dtype=np.int64)[input]),
}
