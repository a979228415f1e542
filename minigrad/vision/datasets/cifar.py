"""CIFAR-10 and CIFAR-100, from the files in which they are published."""

from __future__ import annotations

import os
import pickle
from typing import Any, Callable

import numpy as np

from minigrad.datasets.downloads import by_hand, download_from_mirrors
from minigrad.errors import InvalidValueError, StateError
from minigrad.serialization.unpickler import WeightsUnpickler
from minigrad.vision._pillow import pillow
from minigrad.vision.datasets.utils import check_integrity, extract_archive
from minigrad.vision.datasets.vision import VisionDataset

__all__ = ["CIFAR10", "CIFAR100"]


def read_batch(path: str) -> dict[str, Any]:
    """The dictionary in a file: a pickle of Python 2 with texts, lists and arrays of NumPy.

    It is read by the machine that reads weights, which runs nothing. Raises ``ValueError`` for anything else.
    """
    def refuse(key: Any) -> Any:
        raise pickle.UnpicklingError(f"it refers to data elsewhere, {key!r}")

    with open(path, "rb") as file:
        try:
            batch = WeightsUnpickler(file, find_class=lambda module, name: None, persistent_load=refuse, encoding="latin1").load()
        except pickle.UnpicklingError as error:
            raise InvalidValueError(f"{path} is no batch of CIFAR: {error}") from None
    if not isinstance(batch, dict):
        raise InvalidValueError(f"{path} is no batch of CIFAR: it has a {type(batch).__name__}, not a dictionary")
    return batch


class CIFAR10(VisionDataset):
    """Photographs of ten kinds of animals and vehicles: 50,000 of 32 by 32 pixels to train on, 10,000 to test
    (https://www.cs.toronto.edu/~kriz/cifar.html).

    Args:
        root: the folder in which ``cifar-10-batches-py`` is, or is to be.
        train: the images to train on, or else those to test.
        transform, target_transform: what is called with the image, which is Pillow's, and with its label, a number.
        download: fetch the files if they are not there.

    It has ``data``, an array of uint8 ``(N, 32, 32, 3)``, ``targets``, a list of numbers, ``classes`` and ``class_to_idx``. It
    raises ``RuntimeError`` where files are missing or have other checksums, and says which and where to get them.
    """

    base_folder = "cifar-10-batches-py"
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    train_list = [["data_batch_1", "c99cafc152244af753f735de768cd75f"], ["data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"],
                  ["data_batch_3", "54ebc095f3ab1f0389bbae665268c751"], ["data_batch_4", "634d18415352ddfa80567beed471001a"],
                  ["data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"]]
    test_list = [["test_batch", "40351d587109b95175f43aff81a1287e"]]
    meta = {"filename": "batches.meta", "key": "label_names", "md5": "5ff9c542aee3614f3951f8cda6e48888"}

    def __init__(self, root: str | os.PathLike[str], train: bool = True, transform: Callable[[Any], Any] | None = None,
                 target_transform: Callable[[Any], Any] | None = None, download: bool = False) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        if not self._check_integrity():
            raise StateError("Dataset not found or corrupted. You can use download=True to download it.\n"
                             + by_hand([self.mirror()], [(self.filename, self.tgz_md5)], self.root or "")
                             + f"\nand unpack it there, into {self.base_folder}")
        batches = [read_batch(self.path_of(name)) for name, _ in (self.train_list if train else self.test_list)]
        images = np.vstack([batch["data"] for batch in batches]).reshape(-1, 3, 32, 32)
        self.data = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
        self.targets = [int(label) for batch in batches for label in batch["labels" if "labels" in batch else "fine_labels"]]
        self.classes = list(read_batch(self.path_of(self.meta["filename"]))[self.meta["key"]])
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    def path_of(self, name: str) -> str:
        """Where a file is."""
        return os.path.join(self.root or "", self.base_folder, name)

    def mirror(self) -> str:
        """The address up to the file's name."""
        return self.url[:self.url.rindex("/") + 1]

    def _check_integrity(self) -> bool:
        files = [*self.train_list, *self.test_list, [self.meta["filename"], self.meta["md5"]]]
        return all(check_integrity(self.path_of(name), md5) for name, md5 in files)

    def download(self) -> None:
        """Fetch and unpack the archive if the files are not there. Raises ``RuntimeError`` where that fails."""
        if self._check_integrity():
            return
        download_from_mirrors([self.mirror()], [(self.filename, self.tgz_md5)], self.root or "", type(self).__name__)
        extract_archive(os.path.join(self.root or "", self.filename))

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.transformed(pillow("Image").fromarray(self.data[index]), self.targets[index])

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        """Lines for ``repr``."""
        return f"Split: {'Train' if self.train else 'Test'}"


class CIFAR100(CIFAR10):
    """Photographs of a hundred kinds of things, in the form of :class:`CIFAR10`.

    Args:
        root: the folder in which ``cifar-100-python`` is, or is to be.
        train, transform, target_transform, download: as for :class:`CIFAR10`.
    """

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list = [["train", "16019d7e3df5f24257cddd939b257f8d"]]
    test_list = [["test", "f0ef6b0ae62326f3e7ffdfab6717acfc"]]
    meta = {"filename": "meta", "key": "fine_label_names", "md5": "7973b15100ade9c7d40fb424638fde48"}
