"""Images, under torchvision's names: datasets, transforms, models, operations on boxes, pictures of batches.

Pillow reads and writes the files: ``pip install "minigrad-numpy[vision]"``. It is imported when it is needed first.
"""

from typing import Any as _Any

from minigrad import _paths
from minigrad.errors import InvalidValueError as _InvalidValueError

__all__ = ["disable_beta_transforms_warning", "get_image_backend", "set_image_backend"]


def get_image_backend() -> str:
    """The name of the package that reads images, which is ``"PIL"``.

    >>> get_image_backend()
    'PIL'
    """
    return "PIL"


def set_image_backend(backend: str) -> None:
    """Accepted for ``"PIL"``, which reads images; ``ValueError`` for anything else.

    >>> set_image_backend("PIL")
    """
    if backend != "PIL":
        raise _InvalidValueError(f"set_image_backend: images are read by Pillow, 'PIL', and not by {backend!r}")


def disable_beta_transforms_warning() -> None:
    """Accepted: there is no such warning.

    >>> disable_beta_transforms_warning()
    """


def __getattr__(name: str) -> _Any:
    return _paths.submodule(__name__, name)
