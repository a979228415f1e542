"""Files: tensors, state dictionaries and whatever holds them, in PyTorch's formats, loaded without running foreign code.

`saving` writes PyTorch's zip archives, `loading` reads them, and of other formats `legacy` (PyTorch's before 1.6), `former`
(minigrad's before it took PyTorch's) and `torchscript` (weights of compiled models). `archive` is the container, `unpickler` the
machine that runs a pickle without running code. `names` says what PyTorch's names stand for here, `tensors` makes tensors from
memory, `registry` and `options` keep what users add and choose, and `foreign` knows files that are none of these.
"""

from minigrad._tensor.tensor import rebuild as rebuild  # by which pickles of tensors outside of files name it
from minigrad.serialization import loading, options, registry, saving
from minigrad.serialization.loading import *
from minigrad.serialization.names import StorageType
from minigrad.serialization.options import *
from minigrad.serialization.registry import *
from minigrad.serialization.saving import *

__all__ = ["StorageType", *loading.__all__, *options.__all__, *registry.__all__, *saving.__all__]
