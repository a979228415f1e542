"""Pillow, which is imported when something needs it: an image to be read, made or changed."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def pillow(module: str) -> Any:
    """A module of Pillow. Raises ``ImportError`` that says how to install it."""
    try:
        return importlib.import_module(f"PIL.{module}")
    except ModuleNotFoundError as error:
        if error.name not in ("PIL", f"PIL.{module}"):
            raise
        raise ImportError('images need Pillow, which is not installed; install it with pip install "minigrad-numpy[vision]"',
                          name=error.name) from None


def is_pil_image(x: Any) -> bool:
    """Whether `x` is an image of Pillow's: there is none as long as nobody has imported Pillow."""
    images = sys.modules.get("PIL.Image")
    return images is not None and isinstance(x, images.Image)
