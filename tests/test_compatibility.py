"""Names that programs written for PyTorch ask for on their way: what they mean here."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import jit, nn
from minigrad.utils import checkpoint

# ---------------------------------------------------------------------------------------------------- compilers there are not

def test_what_is_scripted_or_traced_runs_as_it_is() -> None:
    model = nn.Linear(2, 1).eval()
    for given in (jit.script(model), jit.trace(model, mg.ones(1, 2)), jit.freeze(model), jit.optimize_for_inference(model)):
        assert given is model

    @jit.ignore
    def first(x: int) -> int:
        return x

    @jit.ignore(drop=True)
    def second(x: int) -> int:
        return x

    @jit.unused
    def third(x: int) -> int:
        return x

    assert [f(3) for f in (first, second, third, jit.export(third), jit.script_if_tracing(third))] == [3] * 5
    assert jit.annotate(list[int], [1]) == [1] and jit.isinstance(1, (int, str)) and not jit.is_scripting()
    assert not isinstance(model, jit.ScriptModule) and jit.wait(jit.fork(third, 4)) == 4
    with pytest.raises(RuntimeError, match="eval mode"):
        jit.freeze(model.train())


def test_what_only_torchscript_can_do_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotImplementedError, match=r"use minigrad.save\(model.state_dict\(\), file\)"):
        jit.save(nn.Linear(1, 1), tmp_path / "model.pt")


def test_fx_takes_marks_and_refuses_to_trace() -> None:
    @mg.fx.wrap
    def function(x: int) -> int:
        return x

    assert function(1) == 1 and mg.fx.wrap("len") == "len" and not isinstance(mg.ones(1), mg.fx.Proxy)
    for make in (lambda: mg.fx.symbolic_trace(nn.ReLU()), mg.fx.Tracer, lambda: mg.fx.GraphModule(nn.ReLU(), None)):
        with pytest.raises(NotImplementedError, match="programs are not traced to be rewritten here"):
            make()


def test_a_compiler_is_steered_by_the_names_of_dynamo() -> None:
    def first(x: int) -> int:
        return x

    dynamo = mg._dynamo
    dynamo.config.suppress_errors = True
    assert dynamo.optimize("eager")(first) is first and dynamo.optimize()(first)(2) == 2 and dynamo.allow_in_graph(first) is first
    dynamo.reset()


# ---------------------------------------------------------------------------------------------------- devices

def test_the_cpu_by_the_names_of_a_gpu() -> None:
    with mg.cpu.stream(mg.cpu.current_stream()):
        mg.cpu.synchronize()
    assert (mg.cpu.device_count(), mg.cpu.current_device(), mg.cpu.is_available()) == (1, "cpu", True)
    assert mg.get_device_module("cpu") is mg.cpu and mg.get_device_module("cuda") is mg.cuda
    with pytest.raises(RuntimeError, match="invalid device type 'banana'"):
        mg.get_device_module("banana")


def test_the_devices_beside_the_cpu() -> None:
    accelerator = mg.accelerator
    assert accelerator.is_available() is mg.cuda.is_available() and accelerator.device_count() == mg.cuda.device_count()
    if not accelerator.is_available():
        assert accelerator.current_accelerator() is None and accelerator.memory.memory_allocated() == 0
        with pytest.raises(RuntimeError, match="cuda"):
            accelerator.synchronize()
        with pytest.raises(RuntimeError, match="xpu"):
            nn.Linear(1, 1).xpu()


def test_other_libraries_are_not_below() -> None:
    assert not mg.backends.mkldnn.is_available() and not mg.backends.openmp.is_available()
    mg.backends.opt_einsum.enabled = False
    assert mg.backends.opt_einsum.enabled is False
    with mg.backends.mkldnn.flags(enabled=False):
        pass
    assert "NumPy" in mg.__config__.show()


def test_there_are_no_devices_of_other_kinds() -> None:
    for devices in (mg.xpu, mg.mps, mg.mtia):
        assert not devices.is_available() and not devices.is_initialized() and devices.device_count() == 0
        devices.manual_seed(0)
        devices.manual_seed_all(0)
        devices.empty_cache()


# ---------------------------------------------------------------------------------------------------- futures

def test_futures_call_what_waits_for_them() -> None:
    first, second = mg.futures.Future[int](), mg.futures.Future[int]()
    doubled = first.then(lambda f: 2 * f.value())
    failed = first.then(lambda f: 1 // 0)
    together = mg.futures.collect_all([first, second])
    with pytest.raises(RuntimeError, match="no result yet"):
        first.value()
    first.set_result(3)
    assert doubled.wait() == 6 and not together.done()
    with pytest.raises(ZeroDivisionError):
        failed.wait()
    with pytest.raises(RuntimeError, match="only be marked completed once"):
        first.set_result(4)
    second.set_exception(ValueError("second"))
    assert together.wait() == [first, second]
    with pytest.raises(ValueError, match="second"):
        mg.futures.wait_all([first, second])


# ---------------------------------------------------------------------------------------------------- small things

def test_a_file_as_a_tensor(tmp_path: Path) -> None:
    mg.arange(6.0).numpy().tofile(tmp_path / "numbers")
    private = mg.from_file(str(tmp_path / "numbers"), size=4)
    private[0] = 9
    assert private.tolist() == [9, 1, 2, 3] and np.fromfile(tmp_path / "numbers", np.float32)[0] == 0
    shared = mg.from_file(tmp_path / "numbers", shared=True, size=8, dtype=mg.float32)
    shared[7] = 5
    del shared
    assert np.fromfile(tmp_path / "numbers", np.float32).tolist() == [0, 1, 2, 3, 4, 5, 0, 5]
    with pytest.raises(RuntimeError, match="has 32 bytes, but 9 elements of minigrad.float32 take 36"):
        mg.from_file(tmp_path / "numbers", size=9)


def test_keywords_of_modules() -> None:
    assert nn.factory_kwargs({"device": "cpu"}) == {"device": "cpu"} and nn.factory_kwargs(None) == {}
    with pytest.raises(TypeError, match="unexpected kwargs {'bias'}"):
        nn.factory_kwargs({"bias": True})
    with pytest.raises(TypeError, match="device specified twice"):
        nn.factory_kwargs({"device": "cpu", "factory_kwargs": {"device": "cpu"}})


def test_prefixes_of_state_dicts() -> None:
    state = nn.Sequential(nn.Linear(1, 1)).state_dict(prefix="module.")
    nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
    assert list(state) == ["0.weight", "0.bias"]
    assert nn.modules.utils._pair(3) == (3, 3) and nn.modules.utils._triple([1, 2, 3]) == (1, 2, 3)
    assert nn.modules.utils._reverse_repeat_tuple((1, 2), 2) == (2, 2, 1, 1)
    assert nn.modules.utils._list_with_default((None, 2), [1, 3, 4]) == [3, 2]


def test_states_of_generators_and_switches_of_checkpoints() -> None:
    with checkpoint.set_checkpoint_early_stop(False), checkpoint.set_checkpoint_debug_enabled(True):
        x = mg.ones(2, requires_grad=True)
        checkpoint.checkpoint(lambda t: t * t, x).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [2, 2]
    assert checkpoint.get_device_states(x, [x]) == ([], [])
    checkpoint.DefaultDeviceType.set_device_type("cuda")
    assert checkpoint.DefaultDeviceType.get_device_type() == "cuda"


def test_several_backward_passes_compute_again_once() -> None:
    calls = []

    def function(x: mg.Tensor) -> tuple[mg.Tensor, mg.Tensor]:
        calls.append(1)
        return x * x, x.exp()

    x = mg.tensor([2.0], requires_grad=True)
    first, second = checkpoint.checkpoint(function, x)
    with checkpoint.GraphExecGroup():
        first.backward()
        second.backward()
    assert len(calls) == 2 and x.grad is not None and x.grad.tolist() == pytest.approx([4 + np.exp(2)])


def test_trees_of_func_are_pytrees() -> None:
    Pair = dataclasses.make_dataclass("Pair", ["a", "b"])
    mg.utils._pytree.register_dataclass(Pair)
    gradient = mg.func.grad(lambda pair: (pair.a * pair.b).sum())(Pair(mg.tensor([2.0]), mg.tensor([3.0])))
    assert (gradient.a.tolist(), gradient.b.tolist()) == ([3], [2])


def test_an_ensemble_of_models_with_batch_norm() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    assert mg.func.replace_all_batch_norm_modules_(model) is model and model[1].running_var is None
    states = mg.func.stack_module_state([model, nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3, track_running_stats=False))])
    out = mg.func.vmap(lambda p, b: mg.func.functional_call(model, (p, b), (mg.randn(4, 2),)), randomness="different")(*states)
    assert out.shape == (2, 4, 3)
    with pytest.raises(RuntimeError, match="remove='mutations'"):
        mg.func.functionalize(model, remove="everything")


def test_the_older_comparison() -> None:
    with pytest.warns(FutureWarning, match="deprecated"):
        mg.testing.assert_allclose(mg.tensor([1.0, float("nan")]), np.array([1.0, np.nan]))
    with pytest.warns(FutureWarning), pytest.raises(AssertionError, match="not close"):
        mg.testing.assert_allclose(mg.tensor([1.0]), [1.5])


def test_warnings_are_pythons() -> None:
    mg.set_warn_always(True)
    assert mg.is_warn_always_enabled()
    mg.set_warn_always(False)
    assert not mg.is_warn_always_enabled()


def test_memory_is_told_of() -> None:
    x = mg.arange(6, dtype=mg.int16).view(2, 3)
    storage = x[1].untyped_storage()
    assert storage == x.untyped_storage() != x.clone().untyped_storage() and len({storage, x.untyped_storage()}) == 1
    assert (storage.data_ptr(), storage.nbytes(), len(storage), storage.element_size()) == (x.data_ptr(), 12, 12, 1)
    assert storage.tolist() == [0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0] and storage[2] == 1
    assert storage.__sizeof__() > 12 and isinstance(storage, mg.storage.UntypedStorage) and storage.device == mg.device("cpu")


def test_products_of_groups() -> None:
    a, b = mg.randn(6, 3, requires_grad=True), mg.randn(2, 3, 4, requires_grad=True)
    F, offs = nn.functional, mg.tensor([2, 5], dtype=mg.int32)
    out = F.grouped_mm(a, b, offs=offs)
    mg.testing.assert_close(out, mg.cat([a[:2] @ b[0], a[2:5] @ b[1], mg.zeros(1, 4)]))
    out.sum().backward()
    assert a.grad is not None and a.grad[5].tolist() == [0, 0, 0] and b.grad is not None
    mg.testing.assert_close(b.grad[1], a.detach()[2:5].T @ mg.ones(3, 4))
    x, y = mg.randn(3, 6), mg.randn(6, 4)
    mg.testing.assert_close(F.grouped_mm(x, y, offs=offs), mg.stack([x[:, :2] @ y[:2], x[:, 2:5] @ y[2:5]]))
    c, z = mg.randn(2, 4, 3), mg.randn(3, 6)
    mg.testing.assert_close(F.grouped_mm(c, z, offs=offs), mg.cat([c[0] @ z[:, :2], c[1] @ z[:, 2:5], mg.zeros(4, 1)], 1))
    mg.testing.assert_close(F.grouped_mm(c, b.detach()), c @ b.detach())
    with pytest.raises(RuntimeError, match="Have to provide offsets"):
        F.grouped_mm(a, b)
    with pytest.raises(RuntimeError, match="batch sizes have to match"):
        F.grouped_mm(a, b, offs=offs[:1])
    with pytest.raises(RuntimeError, match="contraction dimension"):
        F.grouped_mm(mg.ones(6, 4), b, offs=offs)


def test_hashes_are_exclusive_ors_of_bits() -> None:
    x = mg.tensor([[1.5, -2.0], [0.5, 3.0]])
    bits = x.double().numpy().view(np.uint64)
    assert mg.hash_tensor(x).item() == np.bitwise_xor.reduce(bits, axis=None)
    assert mg.hash_tensor(x, 1, keepdim=True).tolist() == np.bitwise_xor.reduce(bits, axis=1, keepdims=True).tolist()
    assert mg.hash_tensor(mg.tensor([1.5, -2.0])).item() == 18444492273895866368  # PyTorch's
    assert mg.hash_tensor(mg.tensor([True, False])).item() == 1
    with pytest.raises(TypeError, match="expected real numbers and mode=0"):
        mg.hash_tensor(mg.tensor([1j]))


# ---------------------------------------------------------------------------------------------------- asked in passing

@pytest.mark.skipif(mg.cuda.is_available(), reason="there is a GPU")
def test_types_of_gpus_are_there_to_be_asked_for() -> None:
    x = mg.ones(2)
    assert isinstance(x, mg.FloatTensor) and not isinstance(x, (mg.cuda.FloatTensor, mg.cuda.LongTensor))
    assert mg.cuda.FloatTensor.__module__ == "minigrad.cuda" and not mg.cuda.is_bf16_supported()
    for ask in (lambda: mg.cuda.FloatTensor(2), lambda: x.type(mg.cuda.FloatTensor), lambda: x.type("torch.cuda.LongTensor")):
        with pytest.raises(RuntimeError, match="needs CuPy"):
            ask()
    assert x.type(mg.LongTensor).dtype is mg.int64 and x.type("torch.DoubleTensor").dtype is mg.float64


def test_switches_of_attention_are_accepted() -> None:
    switches = mg.backends.cuda
    for name in ("flash", "math", "mem_efficient", "cudnn"):
        getattr(switches, f"enable_{name}_sdp")(True)
        assert getattr(switches, f"{name}_sdp_enabled")() is (name == "math")
    with switches.sdp_kernel(enable_flash=False):
        assert nn.functional.scaled_dot_product_attention(mg.ones(1, 1), mg.ones(1, 1), mg.ones(1, 1)).item() == 1


def test_progress_bars_are_where_programs_take_them_from() -> None:
    tqdm = pytest.importorskip("tqdm", reason="tqdm is not installed")
    assert mg.hub.tqdm is tqdm.tqdm
    with pytest.raises(AttributeError, match="no attribute 'sqdm'"):
        mg.hub.sqdm  # noqa: B018


def test_batch_norms_are_converted_for_several_processes() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.BatchNorm1d(3).eval(), nn.ReLU()), nn.LayerNorm(3))
    x = mg.randn(5, 2)
    before, state = model(x), model.state_dict()
    assert nn.SyncBatchNorm.convert_sync_batchnorm(model) is model
    norm = model[1][0]
    assert type(norm) is nn.SyncBatchNorm and not norm.training and model.state_dict().keys() == state.keys()
    mg.testing.assert_close(model(x), before)
    assert nn.SyncBatchNorm.convert_sync_batchnorm(model)[1][0] is norm
    alone = nn.SyncBatchNorm.convert_sync_batchnorm(nn.BatchNorm2d(2, affine=False))
    assert type(alone) is nn.SyncBatchNorm and alone.weight is None and alone(mg.randn(2, 2, 3)).shape == (2, 2, 3)
