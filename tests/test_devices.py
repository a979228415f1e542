"""Devices and what concerns them, on several stand-in GPUs: ``standin:0``, ``standin:1`` and ``standin:2``."""

from __future__ import annotations

import contextlib
import copy
import pickle
import subprocess
import sys
import threading
import types
from typing import Any, Callable, Iterator

import numpy as np
import pytest

import minigrad as mg
from minigrad import _arrays, cuda
from tests import fake_cuda, standin

ONE = "standin:1"


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """``minigrad.cuda`` answers for the stand-in's GPUs."""
    monkeypatch.setattr(cuda, "HERE", standin.DEVICE)
    with fake_cuda.nothing_changes():
        yield


# ---------------------------------------------------------------------------------------------------- without a GPU

def test_cpu_code_never_imports_cupy() -> None:
    program = """
import sys
import minigrad as mg
net = mg.nn.Linear(2, 2)
mg.optim.Adam(net.parameters()).zero_grad()
net(mg.ones(1, 2)).sum().backward()
mg.ones(2).to("cpu").cpu().is_pinned()
mg.from_dlpack(mg.ones(2).numpy())
mg.cuda.device
assert not any(name.split(".")[0] in ("cupy", "cupyx", "cupy_backends") for name in sys.modules), "CuPy was imported"
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if nobody had named a CUDA device yet, on a machine without CuPy."""
    monkeypatch.delitem(_arrays.libraries, "cuda", raising=False)
    monkeypatch.setitem(sys.modules, "cupy", None)


def test_without_cupy_the_error_says_how_to_get_it(no_gpu: None) -> None:
    for ask in (lambda: mg.ones(2, device="cuda"), lambda: mg.ones(2).cuda(), lambda: mg.ones(2).to("cuda:1"),
                lambda: mg.nn.Linear(1, 1).cuda(), cuda.current_device, cuda.synchronize, cuda.get_device_name, cuda.Stream,
                cuda.Event, cuda.mem_get_info, mg.ones(2).pin_memory, lambda: cuda.set_device(0)):
        with pytest.raises(RuntimeError, match=r'needs CuPy, .* pip install "minigrad-numpy\[cuda13\]" \(or cuda12'):
            ask()


def test_without_cupy_questions_are_answered(no_gpu: None) -> None:
    assert not cuda.is_available() and cuda.device_count() == 0
    assert cuda.memory_allocated() == cuda.memory_reserved() == cuda.max_memory_allocated() == 0
    cuda.empty_cache()
    cuda.manual_seed(0)
    cuda.manual_seed_all(0)
    assert not mg.ones(2).is_pinned()


def test_without_a_gpu_the_error_says_so(no_gpu: None, monkeypatch: pytest.MonkeyPatch) -> None:
    class CUDARuntimeError(RuntimeError):
        pass

    def count() -> int:
        raise CUDARuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected")
    fake = types.ModuleType("cupy")
    fake.cuda = types.SimpleNamespace(  # type: ignore[attr-defined]
        runtime=types.SimpleNamespace(getDeviceCount=count, CUDARuntimeError=CUDARuntimeError))
    monkeypatch.setitem(sys.modules, "cupy", fake)
    monkeypatch.setitem(sys.modules, "cupyx", types.ModuleType("cupyx"))
    with pytest.raises(RuntimeError, match="CuPy is installed, but no usable GPU was found.*no CUDA-capable device.*nvidia-smi"):
        mg.ones(2, device="cuda")
    assert not cuda.is_available()
    fake.cuda.runtime.getDeviceCount = lambda: 0
    with pytest.raises(RuntimeError, match="this machine has no CUDA GPU"):
        mg.ones(2, device="cuda")


# ---------------------------------------------------------------------------------------------------- names of devices

def test_devices_are_named_as_in_pytorch() -> None:
    assert mg.device(1) == mg.device("cuda", 1) == mg.device("cuda:1") and mg.device("cuda:1").index == 1
    assert str(mg.device("cuda")) == "cuda" and repr(mg.device("cuda:1")) == "device(type='cuda', index=1)"
    assert mg.device("cuda") != mg.device("cuda:0") and len({mg.device("cpu"), mg.device("cpu")}) == 1
    for same in (copy.deepcopy(mg.device(ONE)), pickle.loads(pickle.dumps(mg.device(ONE)))):
        assert same == mg.device(ONE)
    for wrong in ("cuda:x", "cuda:1:2", "", "cuda:"):
        with pytest.raises(RuntimeError, match="expected a name such as"):
            mg.device(wrong) if wrong != "cuda:" else mg.device("cuda:-1")


def test_a_device_that_is_not_there() -> None:
    for ask in (lambda: mg.ones(1, device="standin:3"), lambda: mg.ones(1).to("standin:7"), lambda: mg.ones(1).to("cpu:1")):
        with pytest.raises(RuntimeError, match="invalid device ordinal: device '.*' does not exist"):
            ask()


def test_a_device_is_a_context() -> None:
    with mg.device(ONE):
        made = [mg.ones(2), mg.tensor([1.0]), mg.arange(3), mg.rand(2), mg.nn.Linear(2, 2).weight, mg.eye(2), mg.as_tensor([1])]
        with mg.device("cpu"):
            assert mg.ones(1).is_cpu
        assert str(mg.get_default_device()) == ONE
    assert {str(t.device) for t in made} == {ONE} and mg.ones(1).is_cpu


def test_the_default_device() -> None:
    try:
        mg.set_default_device("standin:2")
        assert str(mg.zeros(1).device) == "standin:2" == str(mg.randn(1).device)
    finally:
        mg.set_default_device(None)
    assert mg.zeros(1).is_cpu


FACTORIES: dict[str, Callable[[Any], Any]] = {
    "zeros": lambda d: mg.zeros(2, device=d), "ones": lambda d: mg.ones(2, device=d), "empty": lambda d: mg.empty(2, device=d),
    "full": lambda d: mg.full((2,), 1.0, device=d), "eye": lambda d: mg.eye(2, device=d),
    "arange": lambda d: mg.arange(3, device=d),
    "linspace": lambda d: mg.linspace(0, 1, 3, device=d), "tensor": lambda d: mg.tensor([1.0], device=d),
    "as_tensor": lambda d: mg.as_tensor(np.ones(2), device=d), "asarray": lambda d: mg.asarray([1.0], device=d),
    "rand": lambda d: mg.rand(2, device=d), "randn": lambda d: mg.randn(2, device=d),
    "randint": lambda d: mg.randint(0, 5, (2,), device=d), "randperm": lambda d: mg.randperm(4, device=d),
    "zeros_like": lambda d: mg.zeros_like(mg.ones(2), device=d), "rand_like": lambda d: mg.rand_like(mg.ones(2), device=d),
    "new_zeros": lambda d: mg.ones(2).new_zeros(2, device=d), "new_tensor": lambda d: mg.ones(2).new_tensor([1.0], device=d),
    "hann_window": lambda d: mg.hann_window(4, device=d), "tril_indices": lambda d: mg.tril_indices(2, 2, device=d),
    "scalar_tensor": lambda d: mg.scalar_tensor(1.0, device=d), "empty_strided": lambda d: mg.empty_strided((2,), (1,), device=d)}


@pytest.mark.parametrize("name", FACTORIES)
def test_factories_make_on_a_device(name: str) -> None:
    with fake_cuda.nothing_changes(), cuda_on(1) if name in ("randint", "randperm") else contextlib.nullcontext():
        made = FACTORIES[name](ONE)
    assert str(made.device) == ONE and isinstance(made.array, standin.ndarray) and FACTORIES[name](None).is_cpu


# ---------------------------------------------------------------------------------------------------- moving

def test_tensors_move_between_gpus() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    there = x.to(ONE)
    further = there.to("standin:2", non_blocking=True)
    assert [str(t.device) for t in (there, further, further.cpu())] == [ONE, "standin:2", "cpu"]
    assert further.tolist() == [1.0, 2.0] and further.get_device() == 2 and x.get_device() == -1
    with cuda_on(2):
        (further * further).sum().cpu().backward()
    assert x.grad.tolist() == [2.0, 4.0] and x.grad.is_cpu


@standin.of_itself
def test_a_copy_between_gpus_is_in_the_order_of_both() -> None:
    """It waits for what is under way on the GPU it comes from, and that GPU waits for it."""
    queues = {}
    for index in (0, 1):
        with cuda_on(index):
            queues[index] = fake_cuda.Stream().use()
    try:
        assert mg.ones(2, 3, device="standin:0").T.to(ONE).tolist() == [[1.0, 1.0]] * 3
        (first,), (second,) = queues[1].waited, queues[0].waited
        assert (first.gpu, first.stream, second.gpu, second.stream) == (0, queues[0], 1, queues[1])
        assert first.time < second.time
    finally:
        fake_cuda.streams().clear()


def cuda_on(index: int) -> Any:
    return standin.StandinLibrary().gpus.on(index)


def test_to_gives_the_tensor_itself_where_nothing_changes() -> None:
    x = mg.ones(2, device=ONE)
    assert x.to(ONE) is x and x.to(mg.device(ONE)) is x and x.to(mg.zeros(1, device=ONE)) is x
    with cuda_on(1):
        other = x.to(ONE, copy=True)
        assert other is not x and other.device == x.device
        other += 1
    assert x.tolist() == [1.0, 1.0]
    assert mg.ones(1).to("standin").to("standin:0").device == standin.DEVICE


def test_to_a_gpu_without_a_number_is_the_current_one() -> None:
    with cuda_on(2):
        assert str(mg.ones(1).to("standin").device) == "standin:2" == str(mg.zeros(1, device="standin").device)
        assert str(mg.ones(1, device=ONE).to("standin").device) == "standin:2"


def test_cuda_refuses_the_cpu() -> None:
    with pytest.raises(RuntimeError, match="Invalid device, must be cuda device"):
        mg.ones(1).cuda("cpu")


@pytest.mark.parametrize("how", ["tensor", "non_blocking", "dtype"])
def test_modules_move(how: str) -> None:
    net = mg.nn.Sequential(mg.nn.Linear(2, 2), mg.nn.BatchNorm1d(2))
    net(mg.ones(3, 2)).sum().backward()
    parameters = list(net.parameters())
    if how == "tensor":
        net.to(mg.zeros(1, device=ONE))
    elif how == "non_blocking":
        net.to(ONE, non_blocking=True)
    else:
        with cuda_on(1):
            net.to(ONE, mg.float64)
    assert [p is q for p, q in zip(parameters, net.parameters())] == [True] * 4
    assert {str(t.device) for p in net.parameters() for t in (p, p.grad)} == {ONE}
    assert {str(b.device) for b in net.buffers()} == {ONE} and net[1].num_batches_tracked.dtype is mg.int64
    assert net[0].weight.dtype is (mg.float64 if how == "dtype" else mg.float32)
    assert all(p.is_cpu for p in net.cpu().parameters())


def test_pinned_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    x = mg.arange(3.0)
    pinned = x.pin_memory("standin")
    assert pinned.is_pinned() and not x.is_pinned() and pinned.tolist() == x.tolist() and pinned.pin_memory("standin") is pinned
    assert pinned[1:].is_pinned() and not pinned.clone().is_pinned()
    assert pinned.to(ONE, non_blocking=True).tolist() == [0.0, 1.0, 2.0]
    assert mg.ones(2, device=ONE).to("cpu", non_blocking=True).is_pinned()
    with pytest.raises(RuntimeError, match="only dense CPU tensors can be pinned"):
        mg.ones(1, device=ONE).pin_memory("standin")


def test_state_of_optimizers_follows_the_parameters() -> None:
    for name in ("SGD", "Adam", "RMSprop", "Adagrad"):
        options = {"momentum": 0.9} if name == "SGD" else {}
        p = mg.nn.Parameter(mg.ones(3))
        optimizer = getattr(mg.optim, name)([p], lr=0.1, **options)
        (p * p).sum().backward()
        optimizer.step()
        saved = optimizer.state_dict()
        q = mg.nn.Parameter(p.detach().to(ONE))
        with cuda_on(1):
            there = getattr(mg.optim, name)([q], lr=0.1, **options)
            there.load_state_dict(saved)
            assert {str(v.device) for k, v in there.state[q].items() if isinstance(v, mg.Tensor) and k != "step"} == {ONE}, name
            (q * q).sum().backward()
            there.step()
        optimizer.zero_grad()
        (p * p).sum().backward()
        optimizer.step()
        np.testing.assert_allclose(q.detach().cpu().numpy(), p.detach().numpy(), rtol=1e-6)


# ---------------------------------------------------------------------------------------------------- minigrad.cuda

def test_gpus_and_the_current_one(gpus: None) -> None:
    assert cuda.is_available() and cuda.device_count() == 3 and cuda.current_device() == 0
    with cuda.device(2):
        assert cuda.current_device() == 2
        with cuda.device(None), cuda.device(-1):
            assert cuda.current_device() == 2
        with cuda.device_of(mg.ones(1, device=ONE)):
            assert cuda.current_device() == 1
        with cuda.device_of(mg.ones(1)):
            assert cuda.current_device() == 2
    cuda.set_device(ONE)
    cuda.set_device(-1)
    assert cuda.current_device() == 1
    cuda.set_device(0)
    with pytest.raises(RuntimeError, match="'standin:3' does not exist, this machine has standin:0 to standin:2"):
        cuda.set_device(3)
    with pytest.raises(ValueError, match="Expected a cuda device, but got: cpu"):
        cuda.synchronize("cpu")


def test_each_thread_has_its_current_gpu(gpus: None) -> None:
    found = []
    with cuda.device(1):
        thread = threading.Thread(target=lambda: found.append(cuda.current_device()))
        thread.start()
        thread.join()
    assert found == [0]


@standin.of_itself
def test_what_a_gpu_says_of_itself(gpus: None) -> None:
    assert cuda.get_device_name() == "Stand-in 0" and cuda.get_device_name(ONE) == "Stand-in 1"
    assert cuda.get_device_capability(2) == (9, 0) and cuda.get_device_properties(1).total_memory == fake_cuda.MEMORY


@standin.of_itself
def test_synchronize(gpus: None) -> None:
    fake_cuda.synchronized.clear()
    cuda.synchronize()
    cuda.synchronize(2)
    cuda.synchronize(mg.device(ONE))
    assert fake_cuda.synchronized == [0, 2, 1]


@standin.of_itself
def test_memory(gpus: None) -> None:
    cuda.empty_cache()
    start, other = cuda.memory_allocated(1), cuda.memory_allocated(2)
    cuda.reset_peak_memory_stats(1)
    x = mg.zeros(1000, device=ONE)
    y = mg.zeros(500, device=ONE)
    assert cuda.memory_allocated(1) - start == 6000 and cuda.memory_allocated(2) == other
    del y
    assert cuda.memory_allocated(1) - start == 4000 and cuda.memory_reserved(1) - start == 6000
    assert cuda.max_memory_allocated(1) - start == 6000
    cuda.empty_cache()
    assert cuda.memory_reserved(1) == cuda.memory_allocated(1)
    free, total = cuda.mem_get_info(1)
    assert total == fake_cuda.MEMORY and total - free == cuda.memory_reserved(1)
    cuda.reset_peak_memory_stats(1)
    assert cuda.max_memory_allocated(1) - start == 4000
    assert cuda.memory_stats(1)["allocated_bytes.all.current"] == start + 4000
    cuda.set_per_process_memory_fraction(0.5, 1)
    assert fake_cuda.pool.limits[1] == fake_cuda.MEMORY // 2
    cuda.set_per_process_memory_fraction(1.0, 1)
    assert fake_cuda.pool.limits[1] == 0
    with pytest.raises(ValueError, match="Invalid fraction"):
        cuda.set_per_process_memory_fraction(2.0)
    del x


@standin.of_itself
def test_streams(gpus: None) -> None:
    assert cuda.current_stream() == cuda.default_stream() and cuda.default_stream().cuda_stream == 0
    stream = cuda.Stream(1)
    assert str(stream.device) == ONE and stream != cuda.Stream(1) and stream.query()
    with cuda.stream(stream):
        assert cuda.current_stream(1) == stream and cuda.current_device() == 1 and len({stream, cuda.current_stream(1)}) == 1
    with cuda.stream(None):
        assert cuda.current_stream() == cuda.default_stream()
    second = cuda.Stream(1)
    second.wait_stream(stream)
    assert second._queue.waited[-1].stream is stream._queue
    fake_cuda.synchronized.clear()
    stream.synchronize()
    assert fake_cuda.synchronized == [-stream.cuda_stream]
    cuda.set_stream(stream)
    assert cuda.current_stream(1) == stream
    cuda.set_stream(cuda.default_stream(0))


@standin.of_itself
def test_events(gpus: None) -> None:
    start, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
    start.record()
    cuda.Stream().record_event(end)
    end.synchronize()
    assert start.query() and start.elapsed_time(end) > 0
    stream = cuda.Stream()
    end.wait(stream)
    assert [*stream._queue.waited] == [end._mark]


def test_each_gpu_has_its_generator(gpus: None) -> None:
    mg.manual_seed(0)
    mg.rand(1, device=ONE), mg.rand(1, device="standin:2")
    cuda.manual_seed_all(5)
    drawn = [mg.rand(3, device=d).tolist() for d in ("standin", ONE, "standin:2")]
    cuda.manual_seed_all(5)
    assert [mg.rand(3, device=d).tolist() for d in ("standin:2", ONE, "standin:0")] == drawn[::-1]
    with cuda.device(1):
        cuda.manual_seed(5)
        assert cuda.initial_seed() == 5
    assert mg.rand(3, device=ONE).tolist() == drawn[1]
    state = cuda.get_rng_state(1)
    first = mg.randn(2, device=ONE).tolist()
    mg.randn(2, device="standin:2")
    cuda.set_rng_state(state, 1)
    assert mg.randn(2, device=ONE).tolist() == first
    states = cuda.get_rng_state_all()
    first = mg.randn(2, device="standin:2").tolist()
    cuda.set_rng_state_all(states)
    assert mg.randn(2, device="standin:2").tolist() == first
    g = mg.Generator(ONE).manual_seed(3)
    assert str(mg.rand(2, device=ONE, generator=g).device) == ONE
    with pytest.raises(RuntimeError, match="Expected a 'standin:2' device type for generator but found 'standin:1'"):
        mg.rand(2, device="standin:2", generator=g)
    with pytest.raises(RuntimeError, match="Expected a 'cpu' device type for generator but found 'standin:1'"):
        mg.rand(2, generator=g)


def test_the_stand_in_has_only_what_cupy_has() -> None:
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed here")
    for name in vars(fake_cuda.cuda):
        assert hasattr(cupy.cuda, name), name
    for name in vars(fake_cuda.runtime):
        assert hasattr(cupy.cuda.runtime, name), name
    for fake in (fake_cuda.Device, fake_cuda.Stream, fake_cuda.Event):
        for name in vars(fake):
            assert name.startswith("_") or name == "waited" or hasattr(getattr(cupy.cuda, fake.__name__), name), name


# ---------------------------------------------------------------------------------------------------- operands on two devices

HERE, THERE = mg.ones(2, 2), mg.ones(2, 2, device="standin")
PLACES = mg.tensor([0, 1])
F = mg.nn.functional


def moved_after_a_step() -> None:
    p = mg.nn.Parameter(mg.ones(2))
    optimizer = mg.optim.Adam([p])
    p.grad = mg.ones(2)
    optimizer.step()
    p.data = p.data.to("standin")
    p.grad = mg.ones(2, device="standin")
    optimizer.step()


MIXED: dict[str, tuple[Callable[[], Any], str]] = {
    "operator": (lambda: HERE + THERE, r"add.*'input' is on cpu and 'other' is on standin:0.*input\.to\('standin:0'\)"),
    "operator, swapped": (lambda: THERE * HERE, r"mul.*'input' is on standin:0 and 'other' is on cpu.*other\.to\('standin:0'\)"),
    "two GPUs": (lambda: THERE + mg.ones(2, 2, device=ONE), r"'input' is on standin:0 and 'other' is on standin:1"),
    "comparison": (lambda: HERE == THERE, "eq.*cpu.*standin"),
    "three operands": (lambda: mg.where(HERE > 0, HERE, THERE), "where.*'other' is on standin:0"),
    "cat": (lambda: mg.cat([HERE, HERE, THERE]), r"cat.*'tensors\[0\]' is on cpu and 'tensors\[2\]' is on standin:0"),
    "stack": (lambda: mg.stack([THERE, HERE]), r"stack.*'tensors\[0\]' is on standin:0 and 'tensors\[1\]' is on cpu"),
    "matmul": (lambda: HERE @ THERE, "matmul.*cpu.*standin"),
    "linear": (lambda: mg.nn.Linear(2, 2)(THERE), "linear.*'input' is on standin:0 and 'weight' is on cpu"),
    "convolution": (lambda: mg.nn.Conv2d(1, 1, 1)(THERE[None, None]), "'input' is on standin:0 and '.*' is on cpu"),
    "index": (lambda: HERE[PLACES.to("standin")], r"indices should be either on cpu or on.*index\.to\('cpu'\)"),
    "mask": (lambda: HERE[THERE > 0], "indices should be either on cpu"),
    "index written": (lambda: HERE.clone().__setitem__(PLACES.to("standin"), 1.0), "indices should be either on cpu"),
    "value written": (lambda: HERE.clone().__setitem__(PLACES, THERE), "'input' is on cpu and 'value' is on standin:0"),
    "gather": (lambda: HERE.gather(1, PLACES[:, None].to("standin")), "gather.*'input' is on cpu and 'index' is on standin:0"),
    "in place": (lambda: HERE.clone().add_(THERE), "'input' is on cpu and 'other' is on standin:0"),
    "out=": (lambda: mg.add(HERE, HERE, out=THERE.clone()), r"the result is on cpu and 'out' is on standin:0.*out\.to\('cpu'\)"),
    "loss": (lambda: F.mse_loss(HERE, THERE), "mse_loss.*'input' is on cpu and 'target' is on standin:0"),
    "classes": (lambda: F.cross_entropy(THERE, PLACES), "cross_entropy.*'input' is on standin:0 and 'target' is on cpu"),
    "embedding": (lambda: F.embedding(PLACES.to("standin"), HERE), "embedding.*'weight' is on cpu and 'input' is on standin:0"),
    "recurrent": (lambda: mg.nn.LSTM(2, 2)(THERE), "'input' is on standin:0 and 'weight' is on cpu"),
    "gradient given": (lambda: (HERE.clone().requires_grad_() * 2).backward(THERE), "its gradient is on standin:0.*gradient.to"),
    "gradient assigned": (lambda: setattr(mg.nn.Parameter(HERE), "grad", THERE), "device standin:0 to a tensor on cpu"),
    "optimizer": (moved_after_a_step,
                  r"Adam\.step.*parameter 0 is on standin:0 and its state 'exp_avg' is on cpu.*load_state_dict")}


@pytest.mark.parametrize("what", MIXED)
def test_operands_on_two_devices_are_named(what: str) -> None:
    do, message = MIXED[what]
    with pytest.raises(RuntimeError, match=message):
        do()


def test_where_pytorch_takes_two_devices_so_do_we() -> None:
    assert THERE[PLACES].shape == (2, 2) and THERE[HERE > 0].shape == (4,)
    assert HERE.clone().copy_(THERE * 3).tolist() == [[3.0, 3.0], [3.0, 3.0]]


# ---------------------------------------------------------------------------------------------------- benchmarks

def test_benchmarks_on_a_gpu_say_what_is_missing() -> None:
    if cuda.is_available():
        pytest.skip("there is a GPU")
    done = subprocess.run([sys.executable, "-m", "benchmarks", "--device", "cuda"], capture_output=True, text=True)
    assert done.returncode == 2 and "cannot run on cuda" in done.stderr
