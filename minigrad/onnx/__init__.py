"""Models in ONNX's format, with the names of ``torch.onnx``: what Netron shows and onnxruntime runs, by the library ``onnx``."""

from __future__ import annotations

from minigrad.errors import OnnxExporterError
from minigrad.onnx import errors
from minigrad.onnx.exporting import ONNXProgram, OperatorExportTypes, TrainingMode, export, is_in_onnx_export

__all__ = ["ONNXProgram", "OnnxExporterError", "OperatorExportTypes", "TrainingMode", "errors", "export", "is_in_onnx_export"]
