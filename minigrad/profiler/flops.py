"""How many floating point operations a call takes: of the operations that most of the time goes to. A multiplication and an
addition are two, as PyTorch counts them."""

from __future__ import annotations

import math
from typing import Any

from minigrad._types.tensor_base import unwrap

# Which input is the first factor, whose last dimension is summed over.
PRODUCTS = {"matmul": 0, "mm": 0, "bmm": 0, "mv": 0, "dot": 0, "linear": 0, "addmm": 1, "baddbmm": 1, "addmv": 1}
ELEMENTWISE = ("add", "sub", "mul", "div")


def count_flops(name: str, inputs: Any, result: Any) -> int:
    """The floating point operations of a call of the operation `name`, from shapes; 0 where they are not known."""
    size = getattr(unwrap(result), "size", 0)
    shapes = [tuple(getattr(unwrap(x), "shape", ())) for x in inputs]
    if name in ELEMENTWISE:
        return int(size)
    if name in PRODUCTS and all(shapes):
        return int(2 * size * shapes[PRODUCTS[name]][-1])
    if name == "convolution":
        return int(2 * size * math.prod(shapes[1][1:]))
    if name == "convolution_transpose":
        return int(2 * math.prod(shapes[0]) * math.prod(shapes[1][1:]))
    if name == "convolution_weight":
        return int(2 * math.prod(shapes[1]) * math.prod(unwrap(result).shape[1:]))
    if name == "scaled_dot_product_attention":
        return int(2 * math.prod(shapes[0][:-1]) * shapes[1][-2] * (shapes[0][-1] + shapes[2][-1]))
    return 0
