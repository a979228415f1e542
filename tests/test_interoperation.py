"""Tensors and the objects of other libraries: what goes in and out, and in what words the rest is refused."""

from __future__ import annotations

import array
import collections
import copy
import dataclasses
import functools
import importlib
import importlib.util
import io
import itertools
import math
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from tests.documents import ROOT

READ_ONLY = "is not writable, and a tensor that shares its memory cannot be written to either"


def run(code: str, folder: Path) -> str:
    """What a program prints in a process of its own, with warnings as errors."""
    (folder / "program.py").write_text(code)
    begin = f"import sys, runpy; sys.path.insert(0, {str(ROOT)!r}); runpy.run_path('program.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-W", "error", "-c", begin], cwd=folder, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


# ---------------------------------------------------------------------------------------------------- NumPy's arrays

FIELDS = np.zeros(3, [("flag", "i1"), ("x", "f4")])
ODD_START = np.frombuffer(bytearray(25), np.float64, 3, 1)
ARRAYS: dict[str, np.ndarray[Any, Any]] = {
    "columns first": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "transposed": np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1),
    "steps": np.arange(10.0)[1::3],
    "backwards": np.arange(6.0).reshape(2, 3)[::-1, ::-2],
    "at an odd address": ODD_START,
    "no dimensions": np.array(2.5),
    "nothing": np.zeros((0, 3)),
    "half": np.arange(3, dtype=np.float16),
    "not masked": np.ma.masked_array([1.0, 2.0]),
    **{name: np.arange(3).astype(name) for name in ("bool", "uint8", "int8", "uint16", "int32", "uint64", "complex64")},
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_any_order_are_shared_or_copied(name: str) -> None:
    given = ARRAYS[name]
    for make in (mg.from_numpy, mg.as_tensor, mg.asarray):
        shared = make(given)
        assert shared.tolist() == given.tolist() and shared.shape == given.shape
        assert not given.size or shared.data_ptr() == given.ctypes.data
        assert (shared + 1).tolist() == (np.asarray(given).astype(shared.numpy().dtype) + 1).tolist() or given.dtype == bool
    copied = mg.tensor(given)
    assert type(shared.numpy()) is type(copied.numpy()) is np.ndarray
    assert copied.tolist() == given.tolist() and not np.shares_memory(copied.numpy(), given)


@pytest.mark.parametrize("dtype", [">f4", ">f8", ">i2", ">u8", ">c8", "<f4"])
def test_numbers_of_either_byte_order(dtype: str) -> None:
    given = np.arange(3).astype(dtype)
    for make in (mg.tensor, mg.as_tensor, mg.asarray, lambda a: mg.tensor([a[0], a[1], a[2]])):
        assert make(given).tolist() == [0, 1, 2] and make(given).numpy().dtype.isnative
    if not given.dtype.isnative:
        with pytest.raises(ValueError, match=r"byte order different from the native .*convert it with array.astype\("):
            mg.from_numpy(given)


@pytest.mark.parametrize(("given", "words"), [
    (np.array([1, "a"], object), r"type object.*array.astype\('float32'\)"),
    (np.array(["a", "b"]), r"type <U1.*np.unique\(array, return_inverse=True\)"),
    (np.array([b"a"]), r"type \|S1.*np.unique"),
    (np.array(["2020-01-01"], "M8[D]"), r"type datetime64\[D\].*array.astype\('int64'\)"),
    (np.array([1], "m8[s]"), r"type timedelta64\[s\].*array.astype\('int64'\)"),
    (FIELDS, r"type \[\('flag'.*Give its fields one by one, array\[name\]"),
    pytest.param(np.ones(1, np.longdouble), r"type (float128|longdouble).*array.astype\('float64'\)",
                 marks=pytest.mark.skipif(np.longdouble(1).itemsize == 8, reason="has no longer float"))])
def test_arrays_of_other_kinds_say_how_they_become_numbers(given: Any, words: str) -> None:
    for make in (mg.tensor, mg.as_tensor, mg.asarray, mg.from_numpy):
        with pytest.raises(TypeError, match=words):
            make(given)


def test_a_field_of_a_structure_is_copied() -> None:
    assert mg.tensor(FIELDS["x"]).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match=r"strides not a multiple of the element byte size; copy the array"):
        mg.from_numpy(FIELDS["x"])


def test_a_mask_is_not_dropped_without_a_word() -> None:
    hidden = np.ma.masked_array([1.0, 2.0], [False, True])
    for make in (mg.tensor, mg.as_tensor, mg.asarray, mg.from_numpy):
        with pytest.warns(UserWarning, match=r"the mask of the array is dropped.*array.filled\(value\)"):
            assert make(hidden).tolist() == [1, 2]
    assert mg.masked.mean(mg.tensor(hidden.data), mask=mg.tensor(~hidden.mask)) == 1 == mg.tensor(hidden.filled(0)).sum()


def test_a_file_as_an_array(tmp_path: Path) -> None:
    mapped = np.memmap(tmp_path / "x.bin", np.float32, "w+", shape=(4,))
    mg.from_numpy(mapped).fill_(2)
    assert np.fromfile(tmp_path / "x.bin", np.float32).tolist() == [2, 2, 2, 2]
    with pytest.warns(UserWarning, match=READ_ONLY):
        read = mg.asarray(np.memmap(tmp_path / "x.bin", np.float32, "r"))
    with pytest.raises(RuntimeError, match="memory is read-only"):
        read.add_(1)


def test_who_shares_read_only_memory_is_warned_and_who_copies_is_not() -> None:
    frozen = np.broadcast_to(np.ones(1, np.float32), (3,))
    for make in (mg.from_numpy, mg.as_tensor, mg.asarray):
        with pytest.warns(UserWarning, match=READ_ONLY):
            make(frozen)
    for make in (mg.tensor, lambda a: mg.asarray(a, copy=True), lambda a: mg.as_tensor(a, dtype=mg.float64),
                 lambda a: mg.asarray(a, dtype=mg.float64)):
        assert make(frozen).add_(1).tolist() == [2, 2, 2]


def test_tensors_as_arrays() -> None:
    x = mg.arange(3.0)
    assert np.asarray(x).dtype == np.float32 and np.shares_memory(np.asarray(x), x.numpy())
    assert np.asarray(x, dtype=np.float64).dtype == np.float64 and not np.shares_memory(np.array(x), x.numpy())
    with pytest.raises(ValueError, match="cannot become an array of float64 without a copy"):
        np.array(x, dtype=np.float64, copy=False)
    assert np.stack([x, x]).shape == (2, 3) and np.arange(5)[x.long()].tolist() == [0, 1, 2]
    assert [10, 20, 30][mg.tensor(1)] == 20 and [*range(mg.tensor(2))] == [0, 1]
    rng = np.random.default_rng(0)
    assert rng.permutation(x).shape == (3,) and rng.choice(x) in (0, 1, 2) and rng.normal(x).shape == (3,)


def test_numpys_functions_without_a_gradient_take_what_requires_one() -> None:
    x = mg.tensor([2.0, 1.0], requires_grad=True)
    assert np.size(x) == 2 and np.allclose(x, [2, 1]) and np.array_equal(x, x) and np.argsort(x).tolist() == [1, 0]
    assert np.broadcast_arrays(x, 1.0)[1].shape == (2,) and np.histogram(x, 2)[0].tolist() == [1, 1]
    file = io.BytesIO()
    np.savez(file, x=x)
    assert np.load(io.BytesIO(file.getvalue()))["x"].tolist() == [2, 1]
    with pytest.raises(RuntimeError, match="np.concatenate computes outside of the graph"):
        np.concatenate([x, x])


# ---------------------------------------------------------------------------------------------------- buffers, lists, objects

class Interface:
    """An object that tells where its numbers are as images do."""

    def __init__(self, given: np.ndarray[Any, Any]) -> None:
        self.given, self.__array_interface__ = given, given.__array_interface__


def test_objects_that_say_where_their_numbers_are() -> None:
    given = np.arange(3.0)
    assert mg.tensor(Interface(given)).tolist() == [0, 1, 2]
    assert mg.as_tensor(Interface(given)).data_ptr() == given.ctypes.data


def test_buffers() -> None:
    numbers = array.array("f", [1, 2])
    assert mg.tensor(numbers).tolist() == [1, 2] and mg.tensor(bytearray(b"ab")).tolist() == [97, 98]
    for buffer in (numbers, memoryview(numbers)):
        shared = mg.frombuffer(buffer, dtype=mg.float32)
        shared[0] = 7
        assert numbers[0] == 7
    assert mg.asarray(bytearray(b"abcd"), dtype=mg.uint8).tolist() == [97, 98, 99, 100]
    with pytest.raises(RuntimeError, match="its elements do not lie side by side; copy it"):
        mg.frombuffer(memoryview(bytearray(b"abcd"))[::2], dtype=mg.uint8)
    with pytest.warns(UserWarning, match="given buffer is not writable"):
        mg.asarray(b"abcd", dtype=mg.uint8)


def test_sparse_tensors_are_not_there_and_the_names_say_what_to_do() -> None:
    for name in ("sparse", "sparse_coo_tensor", "sparse_csr_tensor"):
        with pytest.raises(AttributeError, match=f"no attribute '{name}': there are no sparse tensors; make a dense one"):
            getattr(mg, name)
    assert not hasattr(mg, "nested") and not hasattr(mg, "quantize_per_tensor")


def test_scipy(tmp_path: Path) -> None:
    sparse = pytest.importorskip("scipy.sparse", reason="needs SciPy")
    optimize = importlib.import_module("scipy.optimize")
    for kind in ("csr_matrix", "csr_array", "coo_array", "lil_matrix"):
        given = getattr(sparse, kind)(np.eye(2))
        for make in (mg.tensor, mg.as_tensor, mg.asarray):
            with pytest.raises(TypeError, match=rf"{kind} is a sparse array; make it dense, by \w+\(data.toarray\(\)\)"):
                make(given)
        assert mg.tensor(given.toarray()).tolist() == [[1, 0], [0, 1]]
    assert sparse.csr_array(mg.eye(2)).nnz == 2 and (sparse.eye(2).tocsr() @ mg.ones(2, 3)).shape == (2, 3)
    assert importlib.import_module("scipy.linalg").inv(mg.eye(2) * 2).tolist() == [[0.5, 0], [0, 0.5]]

    def loss_and_gradient(at: Any) -> tuple[float, Any]:
        x = mg.tensor(at, requires_grad=True)
        loss = ((x - 3) ** 2).sum()
        loss.backward()
        assert x.grad is not None
        return loss.item(), x.grad.numpy()
    found = optimize.minimize(loss_and_gradient, np.zeros(2), jac=True)
    np.testing.assert_allclose(found.x, [3, 3])


def test_pillow() -> None:
    pillow = pytest.importorskip("PIL.Image", reason="needs Pillow")
    numbers = mg.arange(24).reshape(2, 4, 3).byte()
    image = pillow.fromarray(numbers.numpy())
    assert mg.equal(mg.tensor(image), numbers) and mg.equal(mg.tensor(np.array(image)), numbers)
    with pytest.warns(UserWarning, match=READ_ONLY):
        assert mg.equal(mg.from_numpy(np.asarray(image)), numbers)


# ---------------------------------------------------------------------------------------------------- tables

def test_pandas() -> None:
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    table = pandas.DataFrame({"a": [1.0, 2, 3], "b": [4.0, 5, 6]})
    for given in (table.values, table, table.to_numpy()):
        copied = mg.tensor(given, dtype=mg.float32)
        assert copied.tolist() == [[1, 4], [2, 5], [3, 6]] and copied.add_(1).dtype is mg.float32
    assert mg.tensor(table["a"]).dtype is mg.float64 and mg.tensor(table["a"][1:]).tolist() == [2, 3]
    assert mg.tensor([table["a"], table["b"]]).dtype is mg.float64
    assert mg.tensor((table["a"] > 1).values).tolist() == [False, True, True]
    assert mg.tensor(pandas.Series([1, None], dtype="Int64")).isnan().tolist() == [False, True]
    assert mg.FloatTensor(table.values).dtype is mg.float32 and mg.LongTensor(pandas.Series([1, 2]).values).tolist() == [1, 2]
    for wrong in (pandas.DataFrame({"a": [1.0], "b": ["x"]}).values, pandas.Series(["x", "y"]),
                  pandas.to_datetime(pandas.Series(["2020-01-01"]))):
        with pytest.raises(TypeError, match="can't convert np.ndarray of type .* (Text|Times|If its elements are numbers)"):
            mg.tensor(wrong)
    x = mg.arange(3.0)
    assert pandas.Series(x).tolist() == [0, 1, 2] and pandas.DataFrame({"x": x})["x"].dtype == np.float32
    assert pandas.DataFrame(mg.ones(2, 2, requires_grad=True)).shape == (2, 2) and table.iloc[mg.tensor([0, 2])].shape == (2, 2)
    assert table.assign(c=x)["c"].dtype == np.float32


def test_pandas_gives_memory_that_must_not_be_written() -> None:
    """From version 3 on."""
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    given = pandas.DataFrame({"a": [1.0, 2, 3]}).to_numpy()
    if given.flags.writeable:
        pytest.skip("pandas below 3 gives memory that may be written")
    with pytest.warns(UserWarning, match=READ_ONLY):
        x = mg.from_numpy(given)
    w = nn.Parameter(x)
    (w * w).sum().backward()
    with pytest.raises(RuntimeError, match=r"SGD.step: parameter 0 of shape \[3, 1\]: .* memory is read-only"):
        mg.optim.SGD([w]).step()
    assert given.ravel().tolist() == [1, 2, 3]


@pytest.mark.parametrize("name", ["polars", "pyarrow"])
def test_other_tables(name: str) -> None:
    library = pytest.importorskip(name, reason=f"needs {name}")
    column = library.Series([1.0, 2.0]) if name == "polars" else library.array([1.0, 2.0])
    assert mg.tensor(column).tolist() == [1, 2] and mg.tensor(column.to_numpy()).tolist() == [1, 2]
    x = mg.arange(2.0)
    back = library.Series(x.numpy()) if name == "polars" else library.array(x.numpy())
    assert back.to_numpy().tolist() == [0, 1]


# ---------------------------------------------------------------------------------------------------- learning, plots

def test_scikit_learn() -> None:
    pytest.importorskip("sklearn", reason="needs scikit-learn")
    metrics, selection, pipeline, preprocessing, linear, utils = [importlib.import_module(f"sklearn.{name}") for name in (
        "metrics", "model_selection", "pipeline", "preprocessing", "linear_model", "utils")]
    X, y = mg.randn(20, 3), mg.arange(20) % 2
    X[:, 0] += 3.0 * y
    scores = X[:, 0].sigmoid()
    assert metrics.accuracy_score(y, y) == 1 and metrics.confusion_matrix(y, (scores > 0.5).long()).sum() == 20
    assert metrics.roc_auc_score(y, scores) == metrics.roc_auc_score(y.numpy(), scores.numpy())
    assert metrics.mean_squared_error(scores, scores.clone().requires_grad_()) == 0
    parts = selection.train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
    assert all(isinstance(part, mg.Tensor) for part in parts) and [len(part) for part in parts] == [15, 5, 15, 5]
    assert [X[there].shape[0] for there, _ in selection.KFold(4).split(X)] == [15] * 4
    model = pipeline.make_pipeline(preprocessing.StandardScaler(), linear.LogisticRegression()).fit(X, y)
    assert model.score(X, y) > 0.8 and mg.tensor(model.predict_proba(X)).shape == (20, 2)
    assert selection.cross_val_score(linear.LogisticRegression(), X, y, cv=2).shape == (2,)
    assert utils.check_array(X).dtype == np.float32 and utils.check_X_y(X.double().requires_grad_(), y)[0].dtype == np.float64
    assert isinstance(utils.shuffle(X, y)[0], mg.Tensor)
    for low in (X.half(), X.bfloat16()):
        assert preprocessing.StandardScaler().fit_transform(low).shape == (20, 3)


@pytest.mark.parametrize("make", [lambda x: x, lambda x: x.requires_grad_(), lambda x: x.half(), lambda x: x.long()])
def test_matplotlib(make: Callable[[mg.Tensor], mg.Tensor]) -> None:
    matplotlib = pytest.importorskip("matplotlib", reason="needs matplotlib")
    matplotlib.use("agg")
    plots = importlib.import_module("matplotlib.pyplot")
    x = make(mg.arange(4.0))
    figure, axes = plots.subplots()
    axes.plot(x, x)
    axes.plot([x[0], x[1]])
    axes.scatter(x, x, c=x)
    axes.bar(x, x)
    axes.fill_between(x, x, x)
    axes.errorbar(x, x, yerr=x)
    axes.hist(x, bins=3)
    axes.boxplot(x)
    axes.contourf(x.view(2, 2))
    axes.imshow(x.view(2, 2))
    axes.axhline(x[0])
    axes.set_xlim(x[0], x[3])
    figure.savefig(io.BytesIO())
    plots.close(figure)


# ---------------------------------------------------------------------------------------------------- processes, copies, files

def test_pickles_carry_large_arrays_beside_themselves() -> None:
    """As Dask, Ray and joblib have them do, by protocol 5."""
    x = nn.Parameter(mg.ones(1000))
    buffers: list[Any] = []
    small = pickle.dumps({"x": x}, protocol=5, buffer_callback=buffers.append)
    assert len(small) < 500 and len(buffers) == 1
    again = pickle.loads(small, buffers=buffers)["x"]
    assert again.data_ptr() == x.data_ptr() and isinstance(again, nn.Parameter) and again.requires_grad
    frozen = pickle.loads(small, buffers=[bytes(buffer) for buffer in buffers])["x"]
    with mg.no_grad(), pytest.raises(RuntimeError, match="memory is read-only"):
        frozen.add_(1)
    low = mg.ones(3).bfloat16()
    assert pickle.loads(pickle.dumps(low)).dtype is mg.bfloat16
    optimizer = pickle.loads(pickle.dumps(mg.optim.Adam([x])))
    assert isinstance(optimizer, mg.optim.Adam)


PARALLEL = """
import joblib
import minigrad as mg

def total(x):
    return x.sum().item(), x.numpy().flags.writeable

if __name__ == "__main__":
    print(joblib.Parallel(2)(joblib.delayed(total)(mg.ones(3)) for _ in range(2)))
    print(joblib.Parallel(2, max_nbytes=100)(joblib.delayed(total)(mg.ones(500)) for _ in range(2)))
    print(joblib.Parallel(2, prefer="threads")(joblib.delayed(total)(mg.ones(3)) for _ in range(2)))
"""


def test_joblib(tmp_path: Path) -> None:
    joblib = pytest.importorskip("joblib", reason="needs joblib")
    printed = run(PARALLEL, tmp_path).splitlines()
    assert printed == [str([(3.0, True)] * 2), str([(500.0, False)] * 2), str([(3.0, True)] * 2)]
    joblib.dump({"x": mg.ones(1000)}, tmp_path / "x.joblib")
    assert joblib.load(tmp_path / "x.joblib")["x"].sum() == 1000
    mapped = joblib.load(tmp_path / "x.joblib", mmap_mode="r")["x"]
    assert type(mapped.numpy()) is np.ndarray
    with pytest.raises(RuntimeError, match="memory is read-only"):
        mapped.zero_()
    assert joblib.hash(mg.ones(3)) == joblib.hash(mg.ones(3)) != joblib.hash(mg.zeros(3))


def test_cloudpickle() -> None:
    cloudpickle = pytest.importorskip("cloudpickle", reason="needs cloudpickle")
    one = mg.ones(2)
    assert cloudpickle.loads(cloudpickle.dumps(lambda x: x + one))(1).tolist() == [2, 2]
    model = cloudpickle.loads(cloudpickle.dumps(nn.Sequential(nn.Linear(2, 3), nn.ReLU())))
    assert model(mg.ones(1, 2)).shape == (1, 3)


def test_pythons_own_tools() -> None:
    x = mg.tensor([3.0, 1.0, 2.0])

    @functools.cache
    def total(t: mg.Tensor) -> mg.Tensor:
        return t.sum()

    @dataclasses.dataclass
    class Batch:
        x: mg.Tensor
        n: int = 0

    assert total(x) is total(x) and total.cache_info().hits == 1
    assert dataclasses.replace(Batch(x), n=1).x is x and dataclasses.asdict(Batch(x))["x"].tolist() == [3, 1, 2]
    assert copy.copy(x).data_ptr() == x.data_ptr() != copy.deepcopy(x).data_ptr()
    assert [t.item() for t in itertools.accumulate(x)] == [3, 4, 6] and math.fsum(x) == 6 and math.isclose(x[0], 3)
    assert [t.item() for t in sorted(x)] == [1, 2, 3] and max(x) == 3 and sum(x) == 6 and random.choice(x) in (1, 2, 3)
    assert f"{x[0]:>6.2f}|{mg.tensor(3):03d}" == "  3.00|003"
    assert collections.Counter(x.tolist())[3.0] == 1 and isinstance(x, collections.abc.Iterable)
    first, *rest = x
    assert first == 3 and len(rest) == 2 and 2 in x and [*reversed(x)][0] == 2


def test_progress_bars_and_consoles() -> None:
    tqdm = pytest.importorskip("tqdm", reason="needs tqdm")
    bar = tqdm.tqdm(mg.arange(3.0), file=io.StringIO())
    for value in bar:
        bar.set_postfix(loss=value, last=value.item())
    assert "loss=tensor(2.)" in str(bar) and bar.total == 3
    rich = pytest.importorskip("rich.console", reason="needs rich")
    console = rich.Console(file=io.StringIO(), width=80)
    console.print({"x": mg.arange(3), "model": nn.Linear(2, 1)})
    assert "tensor([0, 1, 2])" in console.file.getvalue()


# ---------------------------------------------------------------------------------------------------- other tensors

def test_what_is_read_backwards_is_not_given_to_others() -> None:
    """PyTorch would end the process."""
    backwards = mg.from_numpy(np.arange(3.0)[::-1])
    with pytest.raises(BufferError, match=r"read backwards, by a negative stride.*give them x.contiguous\(\)"):
        np.from_dlpack(backwards)
    assert np.from_dlpack(backwards.contiguous()).tolist() == [2, 1, 0]
    assert mg.from_dlpack(mg.flip(mg.arange(3.0), (0,))).tolist() == [2, 1, 0]


@pytest.mark.parity
def test_tensors_of_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    for dtype in ("float32", "bfloat16", "bool", "complex64", "int64"):
        theirs = torch.ones(3, dtype=getattr(torch, dtype))
        for make in (mg.tensor, mg.as_tensor, mg.asarray, mg.from_dlpack):
            assert make(theirs).dtype is getattr(mg, dtype) and make(theirs).tolist() == theirs.tolist()
        ours = mg.ones(3, dtype=getattr(mg, dtype))
        assert torch.from_dlpack(ours).tolist() == ours.tolist()
    with pytest.raises(RuntimeError, match="requires grad"):
        mg.tensor(torch.ones(1, requires_grad=True))
    ours, theirs = mg.ones(3), torch.ones(3)
    for mix in (lambda: ours * theirs, lambda: theirs * ours, lambda: mg.add(ours, theirs), lambda: mg.stack([ours, theirs]),
                lambda: nn.Linear(3, 1)(theirs), lambda: ours.add_(theirs)):
        with pytest.raises(TypeError, match=r"one is PyTorch's; minigrad.from_dlpack\(x\) makes a tensor of its memory"):
            mix()
    for mix in (lambda: torch.add(theirs, ours), lambda: torch.stack([theirs, ours])):
        with pytest.raises(TypeError, match="__torch_function__ handlers returned NotImplemented"):
            mix()


JAX = """
import os
os.environ["JAX_PLATFORMS"] = "cpu"
import jax
import jax.numpy as jnp
import numpy as np
import minigrad as mg

jax.config.update("jax_enable_x64", True)
for name in ("bool", "uint8", "int8", "uint16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64"):
    theirs, ours = jnp.arange(6).reshape(2, 3).astype(name), mg.arange(6).reshape(2, 3).to(getattr(mg, name))
    shared = mg.from_dlpack(theirs)
    assert shared.dtype is ours.dtype and shared.tolist() == ours.tolist(), name
    assert shared.data_ptr() == theirs.unsafe_buffer_pointer(), name
    for make in (mg.tensor, mg.asarray):
        assert make(theirs).dtype is ours.dtype and make(theirs).tolist() == ours.tolist(), name
    for made in (jax.dlpack.from_dlpack(ours), jnp.asarray(ours), jnp.array(ours)):
        assert made.dtype == name and made.tolist() == ours.tolist(), name
try:
    mg.from_dlpack(jnp.ones(3)).add_(1)
except RuntimeError as error:
    assert "memory is read-only" in str(error)
else:
    raise AssertionError("JAX's arrays do not change")
x = mg.tensor([1.0, 2.0], requires_grad=True)
gradient = jax.grad(lambda a: (a * a).sum())(jnp.asarray(x.detach()))
(x * x).sum().backward()
assert x.grad.tolist() == gradient.tolist()
assert jax.tree.map(lambda t: t + 1, {"x": mg.ones(1)})["x"].tolist() == [2]
print("done")
"""


def test_jax(tmp_path: Path) -> None:
    """In a process of its own, because JAX warns in every process that forks after it."""
    if importlib.util.find_spec("jax") is None:
        pytest.skip("needs JAX")
    assert run(JAX, tmp_path).split() == ["done"]


ARRAY_API = """
import minigrad

with minigrad.as_torch():
    import array_api_compat, torch
    x = torch.arange(3.0)
    xp = array_api_compat.array_namespace(x)
    assert xp.concat([x, x]).shape == (6,) and xp.astype(x, xp.int64).dtype is torch.int64
    assert array_api_compat.device(x) == torch.device("cpu") and array_api_compat.size(x) == 3 and xp.sum(x) == 3
    print(type(x).__module__)
"""


def test_the_array_standard_where_torch_is_minigrad(tmp_path: Path) -> None:
    if importlib.util.find_spec("array_api_compat") is None:
        pytest.skip("needs array-api-compat")
    assert run(ARRAY_API, tmp_path).split() == ["minigrad"]
