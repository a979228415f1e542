"""The parts of NCCL's communicator that need no processes, and what stands in for NCCL; ``test_processes.py`` has the rest."""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import minigrad as mg
from minigrad import distributed
from minigrad.distributed import nccl
from tests import cupy_surface, fake_cuda, standin
from tests.processes.launching import check, needs_mpi

SURFACE = cupy_surface.load()


def test_what_is_called_is_what_cupy_has() -> None:
    source = Path(nccl.__file__).read_text(encoding="utf-8")
    called = set(re.findall(r"\bcomm\.(\w+)\(", source))
    assert called > {"allReduce", "send", "commSplit"} and called <= set(SURFACE["communicator"])
    named = set(re.findall(r"\bnccl\.((?:NCCL_|get|group)\w+)", source))
    named |= {f"NCCL_{name}" for name in [*nccl.TYPES.values(), *nccl.OPERATIONS.values()]}
    assert named > {"NCCL_UINT8", "NCCL_SUM", "groupStart", "get_unique_id"} and named <= set(SURFACE["nccl"])


@needs_mpi
def test_the_stand_in_has_cupys_numbers_and_parameters() -> None:
    from tests import fake_nccl
    for name, expected in SURFACE["nccl"].items():
        if name.startswith("NCCL_"):
            assert getattr(fake_nccl, name, expected) == expected, name
    for name in vars(fake_nccl.NcclCommunicator):
        if not name.startswith("_") and callable(getattr(fake_nccl.NcclCommunicator, name)):
            found = cupy_surface.parameters(getattr(fake_nccl.NcclCommunicator, name))[1:]
            assert found == SURFACE["communicator"][name], name


@needs_mpi
def test_the_stand_in_refuses_what_nccl_refuses() -> None:
    told = check(2, "strictness.py", "nccl")
    assert "process 0 has checked everything" in told and "process 1 has checked everything" in told


def test_where_processes_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_USE_AGENT_STORE"):
        monkeypatch.delenv(name, raising=False)
    assert nccl.meeting_point("tcp://10.0.0.1:23456") == "10.0.0.1:23456"
    for wrong in ("file:///tmp/store", "tcp://10.0.0.1"):
        with pytest.raises(ValueError, match=f"'tcp://host:port'.*not '{wrong}'"):
            nccl.meeting_point(wrong)
    with pytest.raises(RuntimeError, match="set MASTER_ADDR and MASTER_PORT"):
        nccl.meeting_point(None)
    monkeypatch.setenv("MASTER_ADDR", "node7")
    monkeypatch.setenv("MASTER_PORT", "29500")
    assert nccl.meeting_point("env://") == nccl.meeting_point(None) == "node7:29500"
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    assert nccl.meeting_point(None) == "node7:29501", "torchrun listens at its port itself"


@standin.of_itself
def test_which_gpu_is_a_processs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nccl, "library_with_nccl", lambda device: mg._arrays.library_on(standin.DEVICE))
    assert nccl.own_gpu(2) == mg.device("cuda", 2)
    with mg.device("standin:1"):
        assert nccl.own_gpu(2) == mg.device("cuda", 1), "the program has chosen it"
    monkeypatch.setattr(mg._arrays.library_on(standin.DEVICE).gpus, "_count", 1)
    assert nccl.own_gpu(2) == mg.device("cuda", 0), "it sees no other"


def said(problems: list[str], places: list[str], rank: int) -> Any:
    """What processes know of each other, where the others say this."""
    every = iter([problems, places])

    def who_said_what(words: str) -> list[str]:
        found = next(every)
        return [words if k == rank else found[k] for k in range(len(found))]
    return SimpleNamespace(rank=rank, size=len(problems), who_said_what=who_said_what)


@standin.of_itself
def test_processes_that_cannot_take_part_are_named_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    device = mg.device("standin:0")
    with pytest.raises(RuntimeError, match="NCCL cannot be used: process 0: CuPy needs NCCL, which is not installed: pip install "
                                           ".*nccl13.*; process 1: no GPU"):
        nccl.beside(said(["", "no GPU"], ["", ""], 0), device)
    monkeypatch.setattr(fake_cuda.cuda, "nccl", SimpleNamespace(available=True))
    with pytest.raises(RuntimeError, match="process 1: no GPU$"):
        nccl.beside(said(["", "no GPU"], ["", ""], 0), device)
    with pytest.raises(RuntimeError, match="process 0: NCCL exchanges tensors on GPUs, not on device 'cpu': pass device_id"):
        nccl.beside(said(["", ""], ["", ""], 0), mg.device("cpu"))
    with pytest.raises(RuntimeError, match="process 0: .*device 'standin:7' does not exist"):
        nccl.beside(said(["", ""], ["", ""], 0), mg.device("standin:7"))
    here = f"standin:0 of {os.uname().nodename} (0000:00:00.0)"
    with pytest.raises(RuntimeError, match=re.escape(f"processes 0 and 1 both have {here}, and NCCL wants one GPU for each")):
        nccl.beside(said(["", ""], [here, here], 1), device)


def test_what_pytorch_calls_cuda_nccl(monkeypatch: pytest.MonkeyPatch) -> None:
    if not mg.cuda.is_available():
        with pytest.raises(RuntimeError, match="NCCL exchanges tensors on GPUs: .*(CuPy|cuda)"):
            mg.cuda.nccl.version()
    assert not mg.cuda.nccl.is_available([mg.ones(2)])
    found = SimpleNamespace(xp=SimpleNamespace(cuda=SimpleNamespace(nccl=SimpleNamespace(get_version=lambda: 22707))))
    monkeypatch.setattr(nccl, "library_with_nccl", lambda device: found)
    assert mg.cuda.nccl.version() == (2, 27, 7)


def test_processes_without_mpi_and_without_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    if mg.cuda.is_available():
        pytest.skip("there is a GPU")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    with pytest.raises(RuntimeError, match=r"NCCL exchanges tensors on GPUs: .*\[nccl13\].*backend='mpi'"):
        distributed.init_process_group("nccl")
    assert not distributed.is_initialized()
    assert list(inspect.signature(distributed.init_process_group).parameters)[-1] == "device_id"
