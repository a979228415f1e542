"""What ``import torch`` finds first in processes that a program started which `python -m minigrad run-torch` runs."""

from minigrad import _paths

_paths.take_name(__name__)
