"""Pillow is imported when it is needed, and where it is not installed the error says how to install it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import minigrad as mg
from minigrad.vision import datasets
from minigrad.vision.transforms import functional as F
from tests.documents import ROOT


def test_pillow_is_imported_when_it_is_needed() -> None:
    script = ("import sys, minigrad as mg\nfrom minigrad.vision import datasets, transforms\n"
              "x = transforms.Compose([transforms.RandomCrop(4), transforms.Normalize((0.5,), (0.5,))])(mg.rand(3, 8, 8))\n"
              "print(x.shape, [name for name in ('PIL', 'tqdm', 'scipy') if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "minigrad.Size([3, 4, 4]) []"


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "PIL"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "PIL", None)
    for call in (lambda: F.to_pil_image(mg.rand(3, 4, 4)), lambda: datasets.FakeData(1, (3, 4, 4))[0],
                 lambda: datasets.folder.default_loader(__file__)):
        with pytest.raises(ImportError, match='needs Pillow, which is not installed: pip install "minigrad-numpy.vision."'):
            call()
    assert F.hflip(mg.rand(3, 4, 4)).shape == (3, 4, 4)  # what is no image of Pillow's needs none
