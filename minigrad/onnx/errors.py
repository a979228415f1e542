"""What is raised where a model cannot be exported."""

from __future__ import annotations

from minigrad.errors import OnnxExporterError, UnsupportedOperatorError

__all__ = ["OnnxExporterError", "UnsupportedOperatorError"]
