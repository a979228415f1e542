"""Files of models in ONNX's format: none are written here. Programs import this name for the case that they are asked for one."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["OnnxExporterError", "export", "is_in_onnx_export"]


class OnnxExporterError(NotImplementedError):
    """What :func:`export` raises. It is a ``NotImplementedError``."""


def is_in_onnx_export() -> bool:
    """Whether a model is being exported: False.

    >>> is_in_onnx_export()
    False
    """
    return False


def export(model: Any, args: Any = (), f: Any = None, **kwargs: Any) -> NoReturn:
    """Raises ``NotImplementedError``. The ``state_dict``, saved by :func:`minigrad.save`, opens in PyTorch, which exports."""
    raise OnnxExporterError("onnx.export: models are not exported to ONNX here; minigrad.save(model.state_dict(), file) writes a "
                            "file that PyTorch opens, which can export the model")
