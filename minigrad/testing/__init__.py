"""For tests of code that uses minigrad: compare results, check gradients, draw inputs."""

from minigrad.testing.comparison import assert_allclose, assert_close
from minigrad.testing.creation import make_tensor
from minigrad.testing.gradients import assert_gradients_match
from minigrad.testing.strategies import broadcastable, shapes, tensors

__all__ = ["assert_allclose", "assert_close", "assert_gradients_match", "broadcastable", "make_tensor", "shapes", "tensors"]
