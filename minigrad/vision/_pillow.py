"""Pillow, which is imported when something needs it: an image to be read, made or changed."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from minigrad.errors import missing_extra


def pillow(module: str) -> Any:
    """A module of Pillow. Raises ``MissingPackageError`` where it is not installed."""
    try:
        return importlib.import_module(f"PIL.{module}")
    except ModuleNotFoundError as error:
        if error.name not in ("PIL", f"PIL.{module}"):
            raise
        raise missing_extra("an image", "Pillow", "vision") from None


def is_pil_image(x: Any) -> bool:
    """Whether `x` is an image of Pillow's: there is none as long as nobody has imported Pillow."""
    images = sys.modules.get("PIL.Image")
    return images is not None and isinstance(x, images.Image)
