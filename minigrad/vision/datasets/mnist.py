"""MNIST and its relatives, from the files in which they are published, and the format of these files."""

from __future__ import annotations

import gzip
import lzma
import math
import os
import shutil
import string
import warnings
from pathlib import Path
from typing import Any, Callable

import numpy as np

import minigrad as mg
from minigrad.datasets.downloads import by_hand, download_from_mirrors
from minigrad.errors import ArgumentError, InvalidValueError, StateError
from minigrad.vision._pillow import pillow
from minigrad.vision.datasets.utils import check_integrity, extract_archive, verify_str_arg
from minigrad.vision.datasets.vision import VisionDataset

__all__ = ["EMNIST", "FashionMNIST", "KMNIST", "MNIST", "QMNIST", "read_image_file", "read_label_file",
           "read_sn3_pascalvincent_tensor"]


# ---------------------------------------------------------------------------------------------------- the format

DTYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_sn3_pascalvincent_tensor(path: str | os.PathLike[str], strict: bool = True) -> Any:
    """The tensor in a file of the format "IDX", compressed (``.gz``, ``.xz``) or not.

    Such a file begins with two bytes of 0, a number for the dtype, the number of dimensions, and the sizes as integers of four
    bytes. Format: http://yann.lecun.com/exdb/mnist.

    Args:
        path: the file.
        strict: refuse a file with more numbers than its sizes say, too.

    Raises ``ValueError`` for a file that is none or is damaged.
    """
    opener: Any = {".gz": gzip.open, ".xz": lzma.open}.get(Path(path).suffix, open)
    try:
        with opener(path, "rb") as file:
            head = file.read(4)
            if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in DTYPES or not 1 <= head[3] <= 3:
                raise InvalidValueError(f"{path} is no IDX file: expected two bytes of 0, one of {sorted(DTYPES)} for the dtype "
                                        f"and the number of dimensions, 1 to 3, and found {head.hex(' ') or 'nothing'}")
            sizes = [int(size) for size in np.frombuffer(file.read(4 * head[3]), ">u4")]
            dtype = np.dtype(DTYPES[head[2]])
            wanted = math.prod(sizes) * dtype.itemsize
            data = bytearray()  # in pieces: the sizes may say anything
            while len(data) <= wanted and (piece := file.read(min(wanted + 1 - len(data), 1 << 24))):
                data += piece
    except (EOFError, OSError, lzma.LZMAError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise InvalidValueError(f"{path} is damaged: {error}") from None
    if len(sizes) != head[3] or len(data) < wanted or strict and len(data) > wanted:
        raise InvalidValueError(f"{path} is damaged: it should have {dtype.name} numbers of shape {tuple(sizes)}, and has "
                                f"{'more' if len(data) > wanted else len(data) // dtype.itemsize}")
    array = np.frombuffer(data, dtype, math.prod(sizes)).reshape(sizes)
    return mg.from_numpy(array.astype(dtype.newbyteorder("="), copy=False))


def read_image_file(path: str | os.PathLike[str]) -> Any:
    """The images in a file: uint8, ``(N, height, width)``. Raises ``TypeError`` or ``ValueError`` for anything else."""
    return require(read_sn3_pascalvincent_tensor(path, strict=False), 3, path)


def read_label_file(path: str | os.PathLike[str]) -> Any:
    """The labels in a file of uint8, ``(N,)``, as int64. Raises ``TypeError`` or ``ValueError`` for anything else."""
    return require(read_sn3_pascalvincent_tensor(path, strict=False), 1, path).long()


def require(x: Any, dims: int, path: str | os.PathLike[str]) -> Any:
    """`x`, if it is of uint8 and has this many dimensions."""
    if x.dtype != mg.uint8:
        raise ArgumentError(f"{path}: x should be of dtype minigrad.uint8 instead of {x.dtype}")
    if x.ndim != dims:
        raise InvalidValueError(f"{path}: x should have {dims} dimension instead of {x.ndim}")
    return x


# ---------------------------------------------------------------------------------------------------- the data sets

class MNIST(VisionDataset):
    """Handwritten digits: 60,000 images of 28 by 28 pixels to train on, 10,000 to test (http://yann.lecun.com/exdb/mnist).

    Args:
        root: the folder in which ``MNIST/raw/*-ubyte`` or ``*-ubyte.gz`` are, or are to be.
        train: the images to train on, or else those to test.
        transform, target_transform: what is called with the image, which is Pillow's, and with its label, a number.
        download: fetch the files if they are not there.

    It has ``data``, uint8 ``(N, 28, 28)``, ``targets``, int64 ``(N,)``, and ``classes``. Raises ``RuntimeError`` where files are
    missing, and says which and where they are to be had.
    """

    mirrors = ["https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"]
    resources: Any = [("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
                      ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
                      ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
                      ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c")]
    training_file, test_file = "training.pt", "test.pt"
    classes = ["0 - zero", "1 - one", "2 - two", "3 - three", "4 - four", "5 - five", "6 - six", "7 - seven", "8 - eight",
               "9 - nine"]

    def __init__(self, root: str | os.PathLike[str], train: bool = True, transform: Callable[[Any], Any] | None = None,
                 target_transform: Callable[[Any], Any] | None = None, download: bool = False) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if self._check_legacy_exist():
            name = self.training_file if train else self.test_file
            self.data, self.targets = mg.load(os.path.join(self.processed_folder, name))
            return
        if download:
            self.download()
        if not self._check_exists():
            raise StateError("Dataset not found. You can use download=True to download it.\n"
                             + by_hand(self.mirrors, self.files(), self.raw_folder))
        self.data, self.targets = self._load_data()

    # -- files

    @property
    def folder(self) -> str:
        """The folder of this data set."""
        return os.path.join(self.root or "", type(self).__name__)

    @property
    def raw_folder(self) -> str:
        """Where the published files are."""
        return os.path.join(self.folder, "raw")

    @property
    def processed_folder(self) -> str:
        """Where the first versions of torchvision put files of their own."""
        return os.path.join(self.folder, "processed")

    def _check_legacy_exist(self) -> bool:
        return all(check_integrity(os.path.join(self.processed_folder, name)) for name in (self.training_file, self.test_file))

    def files(self) -> list[tuple[str, str]]:
        """What is fetched: names and checksums."""
        return list(self.resources)

    def file_of(self, kind: str) -> str:
        """The name of the file of "images" or "labels", unpacked."""
        return f"{'train' if self.train else 't10k'}-{kind}-idx{3 if kind == 'images' else 1}-ubyte"

    def needed(self) -> list[str]:
        """The names of the files that must be there, unpacked: those of these images, be the others there or not."""
        return [self.file_of("images"), self.file_of("labels")]

    def path_of(self, name: str) -> str | None:
        """Where that file is, unpacked or not; None if it is not there."""
        paths = (os.path.join(self.raw_folder, name + suffix) for suffix in ("", ".gz", ".xz"))
        return next((path for path in paths if os.path.isfile(path)), None)

    def _check_exists(self) -> bool:
        return all(self.path_of(name) is not None for name in self.needed())

    def download(self) -> None:
        """Fetch the files that are not there. Raises ``RuntimeError`` where no mirror has one."""
        if self._check_exists():
            return
        download_from_mirrors(self.mirrors, self.files(), self.raw_folder, type(self).__name__)
        for name, _ in self.files():
            extract_archive(os.path.join(self.raw_folder, name))

    def _load_data(self) -> tuple[Any, Any]:
        images, labels = (self.path_of(self.file_of(kind)) or "" for kind in ("images", "labels"))
        return read_image_file(images), read_label_file(labels)

    # -- images

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.transformed(pillow("Image").fromarray(self.data[index].numpy()), int(self.targets[index]))

    def __len__(self) -> int:
        return len(self.data)

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The numbers of the classes by their names."""
        return {name: i for i, name in enumerate(self.classes)}

    def extra_repr(self) -> str:
        """Lines for ``repr``."""
        return f"Split: {'Train' if self.train else 'Test'}"

    # -- names of the first versions of torchvision

    @property
    def train_data(self) -> Any:
        """``data``, with a warning."""
        warnings.warn("train_data has been renamed data", stacklevel=2)
        return self.data

    @property
    def test_data(self) -> Any:
        """``data``, with a warning."""
        warnings.warn("test_data has been renamed data", stacklevel=2)
        return self.data

    @property
    def train_labels(self) -> Any:
        """``targets``, with a warning."""
        warnings.warn("train_labels has been renamed targets", stacklevel=2)
        return self.targets

    @property
    def test_labels(self) -> Any:
        """``targets``, with a warning."""
        warnings.warn("test_labels has been renamed targets", stacklevel=2)
        return self.targets


class FashionMNIST(MNIST):
    """Pieces of clothing, in the form of :class:`MNIST` (https://github.com/zalandoresearch/fashion-mnist).

    Args:
        root: the folder in which ``FashionMNIST/raw/*-ubyte`` are, or are to be.
        train, transform, target_transform, download: as for :class:`MNIST`.
    """

    mirrors = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
               "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"]
    resources = [("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
                 ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
                 ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
                 ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310")]
    classes = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]


class KMNIST(MNIST):
    """Handwritten Japanese characters, in the form of :class:`MNIST` (http://codh.rois.ac.jp/kmnist).

    Args:
        root: the folder in which ``KMNIST/raw/*-ubyte`` are, or are to be.
        train, transform, target_transform, download: as for :class:`MNIST`.
    """

    mirrors = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"]
    resources = [("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
                 ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
                 ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
                 ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134")]
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


MERGED = frozenset("cijklmopsuvwxyz")  # small letters that look like their capitals
ALL_CLASSES = sorted(string.digits + string.ascii_letters)
MERGED_CLASSES = [name for name in ALL_CLASSES if name not in MERGED]


class EMNIST(MNIST):
    """Handwritten letters and digits, in the form of :class:`MNIST` but lying on their side
    (https://www.nist.gov/itl/products-and-services/emnist-dataset).

    Args:
        root: the folder in which ``EMNIST/raw/emnist-*-ubyte`` are, or are to be.
        split: "byclass", "bymerge", "balanced", "letters", "digits" or "mnist".
        train, transform, target_transform, download: as for :class:`MNIST`.
    """

    mirrors = ["https://biometrics.nist.gov/cs_links/EMNIST/"]
    resources = [("gzip.zip", "58c8d27c78d21e728a6bc7b3cc06412e")]
    splits = ("byclass", "bymerge", "balanced", "letters", "digits", "mnist")
    classes_split_dict = {"byclass": ALL_CLASSES, "bymerge": MERGED_CLASSES, "balanced": MERGED_CLASSES,
                          "letters": ["N/A", *string.ascii_lowercase], "digits": list(string.digits),
                          "mnist": list(string.digits)}

    def __init__(self, root: str | os.PathLike[str], split: str, **kwargs: Any) -> None:
        self.split = verify_str_arg(split, "split", self.splits)
        self.training_file, self.test_file = f"training_{split}.pt", f"test_{split}.pt"
        super().__init__(root, **kwargs)
        self.classes = self.classes_split_dict[split]

    def file_of(self, kind: str) -> str:
        """The name of the file of "images" or "labels", unpacked."""
        return f"emnist-{self.split}-{'train' if self.train else 'test'}-{kind}-idx{3 if kind == 'images' else 1}-ubyte"

    def download(self) -> None:
        """Fetch and unpack the archive of all splits if the files are not there."""
        if self._check_exists():
            return
        download_from_mirrors(self.mirrors, self.files(), self.raw_folder, type(self).__name__)
        extract_archive(os.path.join(self.raw_folder, "gzip.zip"))
        inside = os.path.join(self.raw_folder, "gzip")
        for name in os.listdir(inside):
            if name.endswith(".gz"):
                extract_archive(os.path.join(inside, name), self.raw_folder)
        shutil.rmtree(inside)


class QMNIST(MNIST):
    """:class:`MNIST` made anew from its sources, with more of each digit (https://github.com/facebookresearch/qmnist).

    Args:
        root: the folder in which ``QMNIST/raw/qmnist-*`` are, or are to be.
        what: "train", "test", "test10k" (those of MNIST), "test50k" (the others) or "nist"; by default as `train` says.
        compat: the label is the digit; otherwise a tensor of eight numbers, of which the digit is the first.
        train: what "train" or "test" is chosen by.
        transform, target_transform, download: as for :class:`MNIST`.
    """

    mirrors = ["https://raw.githubusercontent.com/facebookresearch/qmnist/master/"]
    subsets = {"train": "train", "test": "test", "test10k": "test", "test50k": "test", "nist": "nist"}
    resources = {"train": [("qmnist-train-images-idx3-ubyte.gz", "ed72d4157d28c017586c42bc6afe6370"),
                           ("qmnist-train-labels-idx2-int.gz", "0058f8dd561b90ffdd0f734c6a30e5e4")],
                 "test": [("qmnist-test-images-idx3-ubyte.gz", "1394631089c404de565df7b7aeaf9412"),
                          ("qmnist-test-labels-idx2-int.gz", "5b5b05890a5e13444e108efe57b788aa")],
                 "nist": [("xnist-images-idx3-ubyte.xz", "7f124b3b8ab81486c9d8c2749c17f834"),
                          ("xnist-labels-idx2-int.xz", "5ed0e788978e45d4a8bd4b7caec3d79d")]}

    def __init__(self, root: str | os.PathLike[str], what: str | None = None, compat: bool = True, train: bool = True,
                 **kwargs: Any) -> None:
        self.what = verify_str_arg(("train" if train else "test") if what is None else what, "what", tuple(self.subsets))
        self.compat = compat
        self.training_file = self.test_file = f"{self.what}.pt"
        super().__init__(root, train, **kwargs)

    def files(self) -> list[tuple[str, str]]:
        """What is fetched: names and checksums."""
        files: list[tuple[str, str]] = self.resources[self.subsets[self.what]]
        return files

    def needed(self) -> list[str]:
        """The names of the files that must be there, unpacked."""
        return [os.path.splitext(name)[0] for name, _ in self.files()]

    def _load_data(self) -> tuple[Any, Any]:
        images, labels = (self.path_of(name) or "" for name in self.needed())
        data, targets = read_image_file(images), read_sn3_pascalvincent_tensor(labels).long()
        if targets.ndim != 2:
            raise InvalidValueError(f"{labels}: targets should have 2 dimensions instead of {targets.ndim}")
        part = {"test10k": slice(0, 10_000), "test50k": slice(10_000, None)}.get(self.what, slice(None))
        return data[part], targets[part]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        target = self.targets[index]
        image = pillow("Image").fromarray(self.data[index].numpy())
        return self.transformed(image, int(target[0]) if self.compat else target)

    def extra_repr(self) -> str:
        """Lines for ``repr``."""
        return f"Split: {self.what}"
