"""Real data: small ones shipped with the package, and published ones that are fetched once."""

from __future__ import annotations

from importlib import resources
from typing import Any

import numpy as np

from minigrad.datasets.published import (
    FILES,
    bike_sharing,
    chinese_reviews,
    fetch,
    names,
    photo,
    sequence_pairs,
    shakespeare,
    wikitext2,
)
from minigrad.ops.creation import from_numpy

__all__ = ["FILES", "bike_sharing", "chinese_reviews", "digits", "fetch", "names", "photo", "sequence_pairs", "shakespeare",
           "wikitext2"]


def digits() -> tuple[Any, Any]:
    """The UCI handwritten digits: images ``(1797, 1, 8, 8)``, ``float32`` in 0 to 1, and labels ``(1797,)``, ``int64``.

    Source: Alpaydin and Kaynak (1998), https://doi.org/10.24432/C50P49, CC BY 4.0.

    >>> images, labels = digits()
    >>> images.shape, labels[:3]
    (minigrad.Size([1797, 1, 8, 8]), tensor([0, 1, 2]))
    """
    with resources.files(__name__).joinpath("digits.npz").open("rb") as file, np.load(file) as stored:
        images = stored["images"].astype(np.float32)[:, None] / 16
        return from_numpy(images), from_numpy(stored["labels"].astype(np.int64))
