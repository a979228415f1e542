"""What users hold: the Tensor with its methods, how it is printed, how NumPy sees it, and the functions that are its methods."""

from minigrad._tensor.tensor import Tensor as Tensor
