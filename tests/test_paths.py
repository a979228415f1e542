"""PyTorch's paths lead to minigrad's rooms, and under ``as_torch`` the name ``torch`` does."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import minigrad
from minigrad import _paths
from tests.documents import ROOT

REAL = {path for path in _paths.ROOMS if (Path(minigrad.__file__).parent / f"{path.replace('.', '/')}.py").exists()}


# ---------------------------------------------------------------------------------------------------- the table

@pytest.mark.parametrize("path", sorted(_paths.ROOMS))
def test_a_path_leads_to_its_rooms(path: str) -> None:
    module = importlib.import_module(f"minigrad.{path}")
    assert module is sys.modules[f"minigrad.{path}"]
    for room in _paths.rooms_of(module.__name__):
        names = _paths.names_of(importlib.import_module(room))
        assert names, f"{room} is empty"
        if path not in REAL:
            assert all(getattr(module, name) is not None or name == "newaxis" for name in names[:5])
            assert set(names) <= {*module.__all__, *dir(module)}


@pytest.mark.parametrize(("path", "name"), [
    ("nn.modules.batchnorm", "_BatchNorm"), ("nn.modules.conv", "_ConvNd"), ("nn.modules.pixelshuffle", "PixelShuffle"),
    ("nn.modules.instancenorm", "_InstanceNorm"), ("nn.modules.activation", "MultiheadAttention"),
    ("nn.modules.linear", "LazyLinear"),
    ("nn.modules.utils", "_pair"), ("nn.modules.module", "_IncompatibleKeys"), ("nn.modules.dropout", "_DropoutNd"),
    ("nn.modules.pooling", "_MaxPoolNd"), ("nn.modules.loss", "_WeightedLoss"), ("nn.modules.transformer", "_get_clones"),
    ("nn.common_types", "_size_2_t"), ("nn.parallel.scatter_gather", "gather"), ("nn.utils.spectral_norm", "SpectralNorm"),
    ("nn.utils.weight_norm", "WeightNorm"), ("optim.optimizer", "required"), ("optim.adamw", "AdamW"),
    ("optim.lr_scheduler", "_LRScheduler"), ("optim.sgd", "SGD"), ("optim.rmsprop", "RMSprop"), ("cuda.amp", "GradScaler"),
    ("cuda.amp.autocast_mode", "autocast"), ("cpu.amp", "autocast"), ("utils.data.distributed", "DistributedSampler"),
    ("utils.data._utils.collate", "default_collate"), ("utils.data.sampler", "Sampler"), ("utils._pytree", "tree_map"),
    ("utils.tensorboard.writer", "SummaryWriter"),
    ("utils.hooks", "RemovableHandle"), ("functional", "einsum"), ("version", "cuda"), ("types", "_size"),
    ("torch_version", "TorchVersion"), ("signal.windows.windows", "hann"), ("multiprocessing.spawn", "spawn"),
    ("backends.mkldnn", "is_available"), ("futures", "Future"), ("jit", "script"), ("compiler", "is_compiling"),
    ("_dynamo", "disable"), ("nn.attention", "SDPBackend"), ("accelerator", "current_accelerator")])
def test_what_packages_import(path: str, name: str) -> None:
    assert hasattr(importlib.import_module(f"minigrad.{path}"), name)


def test_paths_are_attributes_without_an_import_of_their_own() -> None:
    script = ("import minigrad as mg; "
              "print(mg.nn.modules.batchnorm._BatchNorm is mg.nn.modules.normalization.BatchNorm, mg.optim.adamw.AdamW.__name__, "
              "mg.cuda.amp.GradScaler.__name__, mg.utils.data.distributed.DistributedSampler.__name__, "
              "mg.utils._pytree.tree_map.__name__)")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["True", "AdamW", "GradScaler", "DistributedSampler", "tree_map"]


def test_a_path_does_not_hide_the_function_of_its_name() -> None:
    for module, name in ((minigrad.nn.utils, "spectral_norm"), (minigrad.nn.utils, "weight_norm"),
                         (minigrad.nn.parallel, "replicate"), (minigrad.nn.parallel, "data_parallel"),
                         (minigrad.nn.parallel, "parallel_apply"), (minigrad.multiprocessing, "spawn")):
        importlib.import_module(f"{module.__name__}.{name}")
        assert callable(getattr(module, name)), f"{module.__name__}.{name}"


def test_a_path_takes_no_name_from_the_file_it_lies_below() -> None:
    """The import system writes a module into its parent, over what the parent's own functions know by that name."""
    script = ("import importlib; from minigrad import _paths\n"
              "for path in sorted(_paths.ROOMS):\n"
              "    above, _, name = f'minigrad.{path}'.rpartition('.')\n"
              "    parent = importlib.import_module(above)\n"
              "    before = vars(parent).get(name)\n"
              "    importlib.import_module(f'minigrad.{path}')\n"
              "    if before is not None and vars(parent)[name] is not before: print(path)")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not done.stdout.split()


def test_what_is_nowhere_is_named() -> None:
    with pytest.raises(AttributeError, match="module 'minigrad.nn.modules.batchnorm' has no attribute 'Banana'"):
        _ = minigrad.nn.modules.batchnorm.Banana
    with pytest.raises(AttributeError, match="module 'minigrad.nn' has no attribute 'banana'"):
        _ = minigrad.nn.banana
    with pytest.raises(ModuleNotFoundError, match="No module named 'minigrad.nn.banana'"):
        importlib.import_module("minigrad.nn.banana")


# ---------------------------------------------------------------------------------------------------- the name torch

@pytest.fixture
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process in which nobody has imported PyTorch; what was imported comes back afterwards."""
    for name in [name for name in sys.modules if name.partition(".")[0] in _paths.ALIASES]:
        monkeypatch.delitem(sys.modules, name)


def load(name: str) -> ModuleType:
    return importlib.import_module(name)


@pytest.mark.usefixtures("no_torch")
def test_the_name_torch_leads_to_minigrad() -> None:
    with minigrad.as_torch():
        torch = load("torch")
        assert torch.Tensor is minigrad.Tensor and torch.__version__ == "2.13.0" and torch.__version__ >= (2, 6)
        assert load("torch.nn") is minigrad.nn and torch.nn is minigrad.nn
        assert load("torch.nn.modules.batchnorm").BatchNorm1d is minigrad.nn.BatchNorm1d
        assert load("torch.nn.functional").relu is minigrad.nn.functional.relu
        assert minigrad.nn.__name__ == "minigrad.nn" and minigrad.nn.__spec__.name == "minigrad.nn"
        assert minigrad.nn.modules.batchnorm.__spec__.name == "minigrad.nn.modules.batchnorm"
        assert importlib.util.find_spec("torch.banana") is None
        with pytest.raises(ModuleNotFoundError, match="No module named 'torch.banana'"):
            load("torch.banana")
        with pytest.raises(AttributeError, match="module 'torch' has no attribute 'banana'"):
            _ = torch.banana
    assert "torch" not in sys.modules and "torch.nn" not in sys.modules
    assert not [finder for finder in sys.meta_path if isinstance(finder, _paths.TorchFinder)]


@pytest.mark.usefixtures("no_torch")
def test_blocks_may_be_nested_and_left_by_an_exception() -> None:
    with minigrad.as_torch():
        torch = load("torch")
        with contextlib.suppress(KeyError), minigrad.as_torch():
            assert load("torch") is torch
            raise KeyError
        assert load("torch") is torch
    assert "torch" not in sys.modules


@pytest.mark.usefixtures("no_torch")
def test_the_name_torchvision_leads_to_the_room_of_images() -> None:
    with minigrad.as_torch():
        torchvision = load("torchvision")
        assert torchvision.transforms is minigrad.vision.transforms and torchvision.__version__ >= (0, 20)
        assert load("torchvision.datasets.mnist").MNIST is minigrad.vision.datasets.MNIST
        assert load("torchvision.transforms.functional") is minigrad.vision.transforms.functional
        assert load("torchvision.transforms.v2.functional").to_image is minigrad.vision.transforms.v2.functional.to_image
        with pytest.raises(ModuleNotFoundError, match="No module named 'torchvision.banana'"):
            load("torchvision.banana")
    assert not [name for name in sys.modules if name.partition(".")[0] == "torchvision"]


@pytest.mark.usefixtures("no_torch")
@pytest.mark.parametrize(("name", "title"), [("torch", "PyTorch"), ("torchvision", "torchvision")])
def test_a_library_that_is_imported_is_not_hidden(name: str, title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, ModuleType(name))
    before = list(sys.meta_path)
    with pytest.raises(RuntimeError, match=f"{title} is imported in this process already"), minigrad.as_torch():
        pass
    assert sys.meta_path == before


def test_a_program_written_for_pytorch_runs(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("from torch import nn\nmodel = nn.Linear(2, 1)\n")
    (tmp_path / "program.py").write_text(
        "import sys\nimport torch\nimport torch.nn.functional as F\nfrom beside import model\n"
        "if __name__ == '__main__':\n"
        "    print(sys.argv[1:], F.relu(model(torch.ones(3, 2))).shape, torch.Tensor.__module__)\n")
    done = subprocess.run([sys.executable, "-m", "minigrad", "run-torch", str(tmp_path / "program.py"), "--lr", "0.1"], cwd=ROOT,
                          capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['--lr', '0.1'] minigrad.Size([3, 1]) minigrad"


def test_a_program_knows_its_place(tmp_path: Path) -> None:
    """As with ``python program.py``, ``__file__`` is a whole path: programs look for data beside it."""
    (tmp_path / "program.py").write_text("import sys\nprint(__file__, sys.argv[1:], sys.path[0], __name__)\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    shown = [subprocess.run([sys.executable, *runner, "program.py", "a"], cwd=tmp_path, capture_output=True, text=True,
                            check=True, env=environment).stdout for runner in ([], ["-m", "minigrad", "run-torch"])]
    assert shown[1] == shown[0]


def test_a_module_written_for_pytorch_runs(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "train.py").write_text(
        "import sys\nimport torch\nprint(__package__, sys.argv[1:], torch.Tensor.__module__)\n")
    done = subprocess.run([sys.executable, "-m", "minigrad", "run-torch", "-m", "package.train", "-m", "--lr", "0.1"],
                          cwd=tmp_path, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.stdout.strip() == "package ['-m', '--lr', '0.1'] minigrad"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_of_a_program_find_the_same_names(method: str, tmp_path: Path) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"there is no {method} here")
    (tmp_path / "program.py").write_text(
        "import sys\nimport torch\nimport torch.multiprocessing as mp\nimport torchvision\n"
        "class Net(torch.nn.Linear):\n    pass\n"
        "def work(model, queue):\n"
        "    queue.put((type(model).__mro__[2].__module__, torchvision.__version__, torch.nn.ReLU.__module__))\n"
        "if __name__ == '__main__':\n"
        "    context = mp.get_context(sys.argv[1])\n"
        "    queue = context.Queue()\n"
        "    process = context.Process(target=work, args=(Net(2, 1), queue))\n"
        "    process.start()\n    print(*queue.get(timeout=60))\n    process.join()\n")
    done = subprocess.run([sys.executable, "-m", "minigrad", "run-torch", str(tmp_path / "program.py"), method], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["minigrad.nn.modules.module", "0.28.0", "minigrad.nn.modules.activation"]


def test_an_error_in_the_program_is_the_programs(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import torch\ntorch.ones(2) @ torch.ones(3)\n")
    done = subprocess.run([sys.executable, "-m", "minigrad", "run-torch", str(tmp_path / "program.py")], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 1 and 'program.py", line 2' in done.stderr


# ---------------------------------------------------------------------------------------------------- versions

def test_versions_compare_by_number() -> None:
    version = minigrad.torch_version.TorchVersion("2.13.0")
    assert version > "2.6" and version >= (2, 13) and version == "2.13" and version != "2.14" and not version < "2.2.1"
    assert version.startswith("2.13") and {version: 1}["2.13.0"] == 1
    assert minigrad.version.__version__ == minigrad.__version__ and minigrad.version.cuda is None
