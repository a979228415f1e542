"""The made-up scenes that detection and segmentation learn from."""

from __future__ import annotations

import runpy

import numpy as np
import pytest

from tests.course.conftest import FOLDER


@pytest.mark.usefixtures("run")
def test_boxes_and_masks_agree() -> None:
    shapes = runpy.run_path(str(FOLDER / "data.py"))["shapes"]
    images, masks, boxes = shapes(40, seed=3)
    assert images.shape == (40, 3, 64, 64)
    assert images.dtype == np.float32
    assert 0 <= images.min() < images.max() <= 1
    kinds = set()
    for mask, found in zip(masks, boxes):
        covered = np.zeros_like(mask, dtype=bool)
        for x1, y1, x2, y2, kind in found.astype(int):
            assert (mask[y1:y2, x1:x2] == kind).sum() > 30
            covered[y1:y2, x1:x2] = True
            kinds.add(kind)
        assert covered[mask > 0].all()
        assert mask.any()
    assert kinds == {1, 2, 3}
    again, _, _ = shapes(40, seed=3)
    assert (again == images).all()
    assert not (shapes(40, seed=4)[0] == images).all()
