"""Data sets in folders: a folder for each class."""

from __future__ import annotations

import os
from typing import Any, Callable, Sequence

from minigrad.errors import InvalidValueError
from minigrad.vision._pillow import pillow
from minigrad.vision.datasets.vision import VisionDataset

__all__ = ["IMG_EXTENSIONS", "DatasetFolder", "ImageFolder", "default_loader", "find_classes", "has_file_allowed_extension",
           "is_image_file", "make_dataset", "pil_loader"]

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def has_file_allowed_extension(filename: str, extensions: str | Sequence[str]) -> bool:
    """Whether a name ends in one of these, in capitals or not."""
    return filename.lower().endswith(extensions if isinstance(extensions, str) else tuple(extensions))


def is_image_file(filename: str) -> bool:
    """Whether a name ends as those of images do."""
    return has_file_allowed_extension(filename, IMG_EXTENSIONS)


def find_classes(directory: str | os.PathLike[str]) -> tuple[list[str], dict[str, int]]:
    """The folders in a folder, sorted, and the number of each. Raises ``FileNotFoundError`` where there is none."""
    classes = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    if not classes:
        raise FileNotFoundError(f"Couldn't find any class folder in {directory}.")
    return classes, {name: i for i, name in enumerate(classes)}


def make_dataset(directory: str | os.PathLike[str], class_to_idx: dict[str, int] | None = None,
                 extensions: str | Sequence[str] | None = None, is_valid_file: Callable[[str], bool] | None = None,
                 allow_empty: bool = False) -> list[tuple[str, int]]:
    """The files below the folders of classes, each with the number of its class, in the order of their paths.

    Args:
        directory: where the folders of classes are.
        class_to_idx: the classes and their numbers; those of :func:`find_classes` by default.
        extensions: which names count, by their ends.
        is_valid_file: or which paths count.
        allow_empty: classes may be without files; otherwise ``FileNotFoundError`` is raised.
    """
    directory = os.path.expanduser(directory)
    if class_to_idx is None:
        class_to_idx = find_classes(directory)[1]
    elif not class_to_idx:
        raise InvalidValueError("'class_to_index' must have at least one entry to collect any samples.")
    if (extensions is None) == (is_valid_file is None):
        raise InvalidValueError("Both extensions and is_valid_file cannot be None or not None at the same time")
    found: list[tuple[str, int]] = []
    empty = []
    for name in sorted(class_to_idx):
        before = len(found)
        for folder, _, files in sorted(os.walk(os.path.join(directory, name), followlinks=True)):
            for path in (os.path.join(folder, file) for file in sorted(files)):
                if is_valid_file(path) if is_valid_file is not None else has_file_allowed_extension(path, extensions or ()):
                    found.append((path, class_to_idx[name]))
        if len(found) == before:
            empty.append(name)
    if empty and not allow_empty:
        shown = extensions if isinstance(extensions, str) else ", ".join(extensions or ())
        raise FileNotFoundError(f"Found no valid file for the classes {', '.join(empty)}."
                                + (f" Supported extensions are: {shown}" if shown else ""))
    return found


def pil_loader(path: str | os.PathLike[str]) -> Any:
    """A file as an image of Pillow's, in red, green and blue."""
    with open(path, "rb") as file:
        return pillow("Image").open(file).convert("RGB")


def default_loader(path: str | os.PathLike[str]) -> Any:
    """What reads an image if nothing else is said: Pillow, as :func:`pil_loader`."""
    return pil_loader(path)


class DatasetFolder(VisionDataset):
    """The files below a folder, in which each class has a folder: ``root/class/[...]/file``.

    Args:
        root: the folder.
        loader: what reads a file, by its path.
        extensions: which names count, by their ends.
        transform, target_transform: what is called with what was read, and with the number of the class.
        is_valid_file: or which paths count.
        allow_empty: classes may be without files.

    It has ``classes`` (their names), ``class_to_idx`` (their numbers), ``samples`` (path and number of each) and ``targets``.
    """

    def __init__(self, root: str | os.PathLike[str], loader: Callable[[str], Any], extensions: Sequence[str] | None = None,
                 transform: Callable[[Any], Any] | None = None, target_transform: Callable[[Any], Any] | None = None,
                 is_valid_file: Callable[[str], bool] | None = None, allow_empty: bool = False) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.classes, self.class_to_idx = self.find_classes(os.path.expanduser(root))
        self.samples = self.make_dataset(os.path.expanduser(root), self.class_to_idx, extensions, is_valid_file, allow_empty)
        self.loader, self.extensions = loader, extensions
        self.targets = [target for _, target in self.samples]

    @staticmethod
    def make_dataset(directory: str | os.PathLike[str], class_to_idx: dict[str, int], extensions: Sequence[str] | None = None,
                     is_valid_file: Callable[[str], bool] | None = None, allow_empty: bool = False) -> list[tuple[str, int]]:
        """The files and the numbers of their classes; may be overridden."""
        return make_dataset(directory, class_to_idx, extensions, is_valid_file, allow_empty)

    def find_classes(self, directory: str | os.PathLike[str]) -> tuple[list[str], dict[str, int]]:
        """The classes and their numbers; may be overridden."""
        return find_classes(directory)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self.samples[index]
        return self.transformed(self.loader(path), target)

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """The images below a folder, in which each class has a folder: ``root/cat/1.png``, ``root/dog/1.jpg``.

    Args:
        root: the folder.
        transform, target_transform: what is called with the image, and with the number of its class.
        loader: what reads a file, by its path; Pillow by default, in red, green and blue.
        is_valid_file: which paths count; by default those that end as images do.
        allow_empty: classes may be without images.
    """

    def __init__(self, root: str | os.PathLike[str], transform: Callable[[Any], Any] | None = None,
                 target_transform: Callable[[Any], Any] | None = None, loader: Callable[[str], Any] = default_loader,
                 is_valid_file: Callable[[str], bool] | None = None, allow_empty: bool = False) -> None:
        super().__init__(root, loader, IMG_EXTENSIONS if is_valid_file is None else None, transform, target_transform,
                         is_valid_file, allow_empty)
        self.imgs = self.samples
