"""A short, seeded part of the fuzzer over the reader of files (`tests.fuzz.files`), and a reader that it must find at fault."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest

if sys.platform != "linux":
    pytest.skip("the fuzzer bounds memory as Linux does", allow_module_level=True)

files: Any = importlib.import_module("tests.fuzz.files")


def test_changed_files_load_or_are_refused() -> None:
    found = [(seed, origin, finding) for seed, origin, finding in files.examine_all(range(600), 1) if finding is not None]
    assert not found, f"{found[:3]}; python -m tests.fuzz.files --seed {found[0][0]} --files 1 shows the first again"


def test_a_reader_that_runs_what_files_say_is_found_out() -> None:
    """Python's own unpickler; the audit hook stops it before anything is run."""
    kinds = {finding.kind for _, _, finding in files.examine_all(range(300), 1, files.trust) if finding is not None}
    assert {"it ran something", "an error that is not ours"} <= kinds
