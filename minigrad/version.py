"""minigrad's version, and what it was built for: there is nothing to build."""

from __future__ import annotations

import minigrad

__all__ = ["__version__", "cuda", "debug", "git_version", "hip", "xpu"]

__version__ = minigrad.__version__
debug = False
cuda: str | None = None
hip: str | None = None
xpu: str | None = None
git_version: str | None = None
