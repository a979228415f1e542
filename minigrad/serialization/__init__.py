"""Saving tensors, state dictionaries and whatever holds them, and loading them without running foreign code."""

from minigrad._tensor.tensor import rebuild as rebuild
from minigrad.serialization.former import add_safe_globals as add_safe_globals
from minigrad.serialization.former import load as load
from minigrad.serialization.former import save as save

__all__ = ["load", "save"]
