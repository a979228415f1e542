"""PyTorch's programming model in readable Python on NumPy."""

from minigrad.dtypes import *
from minigrad.ops.linalg import *
from minigrad.ops.ordering import *
from minigrad.ops.pointwise import *
from minigrad.ops.reduction import *
from minigrad.ops.shape import *
from minigrad.tensor import Tensor, tensor
