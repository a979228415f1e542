"""For tests of code that uses minigrad: compare results, and draw inputs."""

from minigrad.testing.comparison import assert_close
from minigrad.testing.creation import make_tensor

__all__ = ["assert_close", "make_tensor"]
