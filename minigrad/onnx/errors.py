"""What is raised where a model cannot be exported."""

from __future__ import annotations

__all__ = ["OnnxExporterError", "UnsupportedOperatorError"]


class OnnxExporterError(RuntimeError):
    """A model that cannot be exported; the message says where and why.

    >>> issubclass(OnnxExporterError, RuntimeError)
    True
    """


class UnsupportedOperatorError(OnnxExporterError):
    """An operation of the model that has no form in ONNX; the message names it and the line that calls it.

    >>> issubclass(UnsupportedOperatorError, OnnxExporterError)
    True
    """
