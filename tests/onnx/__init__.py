"""Models in ONNX's format: each operation of the table, models, and what is refused."""
