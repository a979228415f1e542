"""Writing what TensorBoard shows, through ``tensorboardX``: ``pip install -e '.[tensorboard]'``.

>>> import tempfile, minigrad as mg
>>> from minigrad.utils.tensorboard import SummaryWriter
>>> with tempfile.TemporaryDirectory() as folder, SummaryWriter(folder) as writer:
...     writer.add_scalar("loss", mg.tensor(0.5), 1)
...     writer.add_histogram("weights", mg.randn(100), 1)
"""

from __future__ import annotations
