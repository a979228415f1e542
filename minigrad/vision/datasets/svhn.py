"""Street View House Numbers, from the files in which they are published."""

from __future__ import annotations

import os
from typing import Any, Callable

import numpy as np

from minigrad.datasets.downloads import by_hand, download_from_mirrors
from minigrad.errors import StateError, missing_extra
from minigrad.vision._pillow import pillow
from minigrad.vision.datasets.utils import check_integrity, verify_str_arg
from minigrad.vision.datasets.vision import VisionDataset

__all__ = ["SVHN"]

SERVER = "http://ufldl.stanford.edu/housenumbers/"


class SVHN(VisionDataset):
    """Digits of house numbers, photographed from the street: 32 by 32 pixels, in colour (http://ufldl.stanford.edu/housenumbers).

    Args:
        root: the folder in which ``train_32x32.mat`` and the like are, or are to be.
        split: "train", "test" or "extra".
        transform, target_transform: what is called with the image, which is Pillow's, and with its label, a number.
        download: fetch the file if it is not there.

    It has ``data``, an array of uint8 ``(N, 3, 32, 32)``, and ``labels``, an array. The files are MATLAB's, and read by SciPy:
    ``pip install "minigrad-numpy[scipy]"``.
    """

    split_list = {
        "train": [f"{SERVER}train_32x32.mat", "train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"],
        "test": [f"{SERVER}test_32x32.mat", "test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"],
        "extra": [f"{SERVER}extra_32x32.mat", "extra_32x32.mat", "a93ce644f1a588dc4d68dda5feec44a7"]}

    def __init__(self, root: str | os.PathLike[str], split: str = "train", transform: Callable[[Any], Any] | None = None,
                 target_transform: Callable[[Any], Any] | None = None, download: bool = False) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", tuple(self.split_list))
        self.url, self.filename, self.file_md5 = self.split_list[split]
        if download:
            self.download()
        if not self._check_integrity():
            raise StateError("Dataset not found or corrupted. You can use download=True to download it.\n"
                             + by_hand([SERVER], [(self.filename, self.file_md5)], self.root or ""))
        stored = loadmat(os.path.join(self.root or "", self.filename))
        self.data = np.ascontiguousarray(stored["X"].transpose(3, 2, 0, 1))
        self.labels = stored["y"].astype(np.int64).reshape(-1) % 10  # where the digit 0 is 10

    def _check_integrity(self) -> bool:
        return check_integrity(os.path.join(self.root or "", self.filename), self.file_md5)

    def download(self) -> None:
        """Fetch the file if it is not there. Raises ``RuntimeError`` where that fails."""
        download_from_mirrors([SERVER], [(self.filename, self.file_md5)], self.root or "", "SVHN")

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.transformed(pillow("Image").fromarray(self.data[index].transpose(1, 2, 0)), int(self.labels[index]))

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        """Lines for ``repr``."""
        return f"Split: {self.split}"


def loadmat(path: str) -> Any:
    """The arrays in a file of MATLAB's. Raises ``MissingPackageError`` where SciPy is not installed."""
    try:
        from scipy import io
    except ModuleNotFoundError:
        raise missing_extra("SVHN", "SciPy", "scipy") from None
    return io.loadmat(path)
