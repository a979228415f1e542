"""PyTorch's programming model in readable Python on NumPy."""

# The class comes first: importing the module minigrad.tensor binds the name that the function `tensor` then takes.
from minigrad.tensor import Tensor  # isort: skip
from minigrad.dtypes import *
from minigrad.ops.copying import *
from minigrad.ops.creation import *
from minigrad.ops.indexing import *
from minigrad.ops.linalg import *
from minigrad.ops.ordering import *
from minigrad.ops.pointwise import *
from minigrad.ops.reduction import *
from minigrad.ops.sampling import *
from minigrad.ops.shape import *
from minigrad.ops.statistics import *
from minigrad.printing import *
from minigrad.random import *
from minigrad.size import Size
