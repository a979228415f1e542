"""Every operation, by family: its forward on arrays and, right under it, its derivative rules.

The families, from the ground up: :mod:`pointwise`, :mod:`shaping`, :mod:`indexing`, :mod:`reducing`, :mod:`linear_algebra`,
:mod:`statistics`, :mod:`neural`, :mod:`spectral`; and, without rules, :mod:`creation`, :mod:`copying` and :mod:`sampling`.
"""

from typing import NoReturn


def load_library(path: str) -> NoReturn:
    """Raises ``ImportError``: what is compiled for PyTorch needs PyTorch."""
    raise ImportError(f"{path} is compiled for PyTorch, and nothing but PyTorch can load it")
