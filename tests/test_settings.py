"""Switches of the whole process, and PyTorch's older constructors."""

from __future__ import annotations

import os

import pytest

import minigrad as mg
from minigrad import _settings


def test_what_programs_set_first_is_accepted_and_remembered() -> None:
    before = mg.get_num_threads()
    mg.set_num_threads(2)
    assert mg.get_num_threads() == 2 and mg.get_num_interop_threads() == 1
    mg.set_num_threads(before)
    mg.use_deterministic_algorithms(True, warn_only=True)
    assert mg.are_deterministic_algorithms_enabled() and mg.is_deterministic_algorithms_warn_only_enabled()
    mg.use_deterministic_algorithms(False)
    assert not mg.are_deterministic_algorithms_enabled() and not mg.is_deterministic_algorithms_warn_only_enabled()
    assert not mg.set_flush_denormal(True)


@pytest.mark.parametrize(("said", "number"), [("3", 3), ("2,1", 2), ("", None), ("0", None), ("many", None), (None, None)])
def test_the_environment_says_with_how_many_threads_a_program_begins(said: str | None, number: int | None,
                                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if said is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert _settings.number_at_the_start.__wrapped__() == (number or os.cpu_count())


def test_a_number_of_threads_is_a_positive_int() -> None:
    with pytest.raises(TypeError, match="set_num_threads expects an int, but got float"):
        mg.set_num_threads(1.5)
    with pytest.raises(ValueError, match="positive integer, got 0"):
        mg.set_num_threads(0)


def test_typed_constructors_make_tensors_of_one_dtype() -> None:
    assert mg.LongTensor([1, 2]).dtype is mg.int64 and mg.FloatTensor([1, 2]).tolist() == [1., 2.]
    assert mg.DoubleTensor(2, 3).shape == (2, 3) and mg.ByteTensor().shape == (0,)
    with pytest.raises(TypeError, match=r"IntTensor\(\): expected a tensor of minigrad.int32, not of minigrad.float32"):
        mg.IntTensor(mg.tensor([1.5, 2.5]))
    x = mg.IntTensor(mg.tensor([1, 2], dtype=mg.int32))
    assert mg.IntTensor(mg.Size([2])).shape == (2,) and mg.Tensor(size=(2, 3)).shape == (2, 3)
    for call in (mg.Tensor, mg.FloatTensor, mg.ones(1).new):
        with pytest.raises(TypeError, match=r"new\(\): data must be a sequence \(got float\)"):
            call(3.0)
    assert x.tolist() == [1, 2] and isinstance(x, mg.IntTensor) and not isinstance(x, mg.LongTensor)
    assert x.type(mg.HalfTensor).dtype is mg.float16 and x.type("torch.BoolTensor").dtype is mg.bool


def test_the_default_type_can_be_set_by_its_older_name() -> None:
    try:
        mg.set_default_tensor_type(mg.DoubleTensor)
        assert mg.ones(1).dtype is mg.float64
    finally:
        mg.set_default_tensor_type("minigrad.FloatTensor")
    assert mg.ones(1).dtype is mg.float32
    with pytest.raises(TypeError, match="expected minigrad.FloatTensor"):
        mg.set_default_tensor_type("float")


def test_seeds_are_whole_numbers() -> None:
    mg.manual_seed(1.9)
    assert mg.initial_seed() == 1
    with pytest.raises(ValueError, match="manual_seed: expected an int, got 'a'"):
        mg.manual_seed("a")


def test_determinism_has_a_number_and_a_word() -> None:
    for given, expected in ((1, 1), ("error", 2), ("warn", 1), ("default", 0), (2, 2), (0, 0)):
        mg.set_deterministic_debug_mode(given)
        assert mg.get_deterministic_debug_mode() == expected and mg.are_deterministic_algorithms_enabled() is (expected > 0)
    with pytest.raises(RuntimeError, match="can be 0, 1, 2, 'default', 'warn' or 'error', not 'x'"):
        mg.set_deterministic_debug_mode("x")
    with pytest.raises(TypeError, match="must be an int or a str, not float"):
        mg.set_deterministic_debug_mode(1.)


def test_the_default_type_has_pytorchs_name_too() -> None:
    mg.set_default_tensor_type("torch.DoubleTensor")
    assert mg.get_default_dtype() is mg.float64
    mg.set_default_tensor_type("torch.FloatTensor")
    assert mg.get_default_dtype() is mg.float32
