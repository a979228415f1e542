"""Data sets of images: their files, read from small ones that the tests write, and from torchvision's folders."""

from __future__ import annotations

import gzip
import io
import lzma
import pickle
import zipfile
from pathlib import Path
from typing import Any, Iterator

import numpy as np
import pytest

import minigrad as mg
from minigrad.vision import datasets, transforms
from minigrad.vision.datasets import mnist
from minigrad.vision.datasets.cifar import read_batch
from minigrad.vision.datasets.folder import IMG_EXTENSIONS, default_loader, find_classes, is_image_file, make_dataset
from tests.vision import files
from tests.vision.oracle import torchvision_or_skip
from tests.vision.servers import Server, serving

Image = pytest.importorskip("PIL.Image", reason='images need Pillow: pip install "minigrad-numpy[vision]"')


@pytest.fixture(name="server")
def served() -> Iterator[Server]:
    with serving() as server:
        yield server


# ---------------------------------------------------------------------------------------------------- the format of MNIST

@pytest.mark.parametrize("dtype", files.IDX_TYPES)
@pytest.mark.parametrize("shape", [(5,), (2, 3), (4, 2, 3), (0, 3)])
def test_idx_of_every_dtype(dtype: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    array = (np.random.default_rng(0).standard_normal(shape) * 100).astype(dtype)
    plain = files.idx(array)
    for name, content in (("x", plain), ("x.gz", gzip.compress(plain)), ("x.xz", lzma.compress(plain))):
        (tmp_path / name).write_bytes(content)
        found = mnist.read_sn3_pascalvincent_tensor(tmp_path / name)
        assert found.numpy().dtype == array.dtype and np.array_equal(found.numpy(), array)


@pytest.mark.parametrize(("content", "said"), [
    (b"", "no IDX file.*found nothing"), (b"\x1f\x8b\x08\x00", "no IDX file.*1f 8b 08 00"), (b"\0\0\x0a\x01", "no IDX file"),
    (b"\0\0\x08\x04" + b"\0" * 16, "no IDX file"), (b"\0\0\x08\x02\0\0\0\x02", "damaged"),
    (files.idx(np.zeros((2, 3), np.int32))[:-1], r"damaged: it should have int32 numbers of shape \(2, 3\), and has 5"),
    (files.idx(np.zeros(3, np.uint8)) + b"x", "damaged.*has more"),
    (b"\0\0\x08\x03" + b"\xff" * 12, "damaged")])
def test_idx_that_is_damaged(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ValueError, match=said):
        mnist.read_sn3_pascalvincent_tensor(tmp_path / "x")


def test_idx_that_is_damaged_in_its_compression(tmp_path: Path) -> None:
    whole = gzip.compress(files.idx(np.arange(1000, dtype=np.int32)))
    (tmp_path / "x.gz").write_bytes(whole[:-30])
    (tmp_path / "y.gz").write_bytes(b"no gzip")
    for name in ("x.gz", "y.gz"):
        with pytest.raises(ValueError, match="damaged"):
            mnist.read_sn3_pascalvincent_tensor(tmp_path / name)
    (tmp_path / "z").write_bytes(files.idx(np.zeros((2, 3), np.uint8)))
    with pytest.raises(ValueError, match="x should have 3 dimension instead of 2"):
        mnist.read_image_file(tmp_path / "z")
    (tmp_path / "z").write_bytes(files.idx(np.zeros(2, np.int32)))
    with pytest.raises(TypeError, match="x should be of dtype minigrad.uint8 instead of minigrad.int32"):
        mnist.read_label_file(tmp_path / "z")


# ---------------------------------------------------------------------------------------------------- MNIST and its relatives

def assert_is(found: Any, images: Any, labels: Any) -> None:
    """That a data set has these images and labels."""
    assert len(found) == len(images)
    for i, (image, label) in enumerate(found[i] for i in range(len(found))):
        assert image.mode == "L" and np.array_equal(np.asarray(image), images[i]) and type(label) is int and label == labels[i]


@pytest.mark.parametrize("cls", [datasets.MNIST, datasets.FashionMNIST, datasets.KMNIST])
@pytest.mark.parametrize("unpacked", [True, False])
def test_mnist_from_its_folder(cls: Any, unpacked: bool, tmp_path: Path) -> None:
    stored = files.mnist_files()
    if unpacked:
        stored = {name.removesuffix(".gz"): gzip.decompress(content) for name, content in stored.items()}
    files.write(tmp_path / cls.__name__ / "raw", stored)
    for train, n in ((True, 7), (False, 5)):
        found = cls(str(tmp_path), train=train)
        assert_is(found, *files.digits(n, n))
        assert found.data.dtype == mg.uint8 and found.targets.dtype == mg.int64 and found.class_to_idx[cls.classes[3]] == 3
    assert repr(cls(tmp_path, transform=transforms.ToTensor())) == (
        f"Dataset {cls.__name__}\n    Number of datapoints: 7\n    Root location: {tmp_path}\n    Split: Train\n"
        "    StandardTransform\nTransform: ToTensor()")
    x, y = cls(tmp_path, transform=transforms.ToTensor(), target_transform=lambda y: -y)[2]
    assert x.shape == (1, 28, 28) and x.dtype == mg.float32 and y == -int(files.digits(7, 7)[1][2])


def test_mnist_is_fetched(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = files.mnist_files()
    server.files = dict(stored)
    monkeypatch.setattr(datasets.MNIST, "mirrors", [server.address + "absent/", server.address])
    monkeypatch.setattr(datasets.MNIST, "resources", [(name, files.md5(content)) for name, content in stored.items()])
    with pytest.raises(RuntimeError, match="Dataset not found. You can use download=True to download it"):
        datasets.MNIST(tmp_path)
    assert_is(datasets.MNIST(tmp_path, download=True), *files.digits(7, 7))
    asked = len(server.asked)
    assert_is(datasets.MNIST(tmp_path, train=False, download=True), *files.digits(5, 5))
    assert len(server.asked) == asked
    assert sorted(file.name for file in (tmp_path / "MNIST" / "raw").iterdir()) == sorted(
        [*stored, *(name.removesuffix(".gz") for name in stored)])


def test_mnist_that_cannot_be_fetched_says_which_files_go_where(server: Server, tmp_path: Path,
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.MNIST, "mirrors", [server.address])
    with pytest.raises(RuntimeError) as caught:
        datasets.MNIST(tmp_path, download=True)
    assert "Error downloading train-images-idx3-ubyte.gz of MNIST" in str(caught.value) and "404" in str(caught.value)
    assert str(tmp_path / "MNIST" / "raw") in str(caught.value) and "f68b3c2dcbeaaa9fbdd348bbdeb94873" in str(caught.value)


def test_files_of_torchvisions_first_versions(tmp_path: Path) -> None:
    folder = tmp_path / "MNIST" / "processed"
    folder.mkdir(parents=True)
    images, labels = files.digits(4, 4)
    for name in ("training.pt", "test.pt"):
        mg.save((mg.from_numpy(images), mg.from_numpy(labels.astype(np.int64))), folder / name)
    assert_is(datasets.MNIST(tmp_path), images, labels)


def test_names_of_torchvisions_first_versions(tmp_path: Path) -> None:
    files.write(tmp_path / "MNIST" / "raw", files.mnist_files())
    found = datasets.MNIST(tmp_path)
    for old, new in (("train_data", "data"), ("test_data", "data"), ("train_labels", "targets"), ("test_labels", "targets")):
        with pytest.warns(UserWarning, match=f"{old} has been renamed {new}"):
            assert getattr(found, old) is getattr(found, new)


def test_emnist(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, content in files.mnist_files(("emnist-letters-train", "emnist-letters-test")).items():
            zipped.writestr(f"gzip/{name}", content)
    server.files["gzip.zip"] = buffer.getvalue()
    monkeypatch.setattr(datasets.EMNIST, "mirrors", [server.address])
    monkeypatch.setattr(datasets.EMNIST, "resources", [("gzip.zip", files.md5(buffer.getvalue()))])
    found = datasets.EMNIST(tmp_path, "letters", download=True, train=False)
    assert_is(found, *files.digits(5, 5))
    assert found.classes[:3] == ["N/A", "a", "b"] and len(datasets.EMNIST.classes_split_dict["balanced"]) == 47
    with pytest.raises(ValueError, match="Unknown value 'words' for argument split"):
        datasets.EMNIST(tmp_path, "words")


def test_qmnist(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, digits = files.digits(6, 6)
    labels = np.stack([digits.astype(np.int32) * (k + 1) for k in range(8)], 1)
    stored = {"qmnist-train-images-idx3-ubyte.gz": gzip.compress(files.idx(images)),
              "qmnist-train-labels-idx2-int.gz": gzip.compress(files.idx(labels))}
    server.files = dict(stored)
    monkeypatch.setattr(datasets.QMNIST, "mirrors", [server.address])
    monkeypatch.setattr(datasets.QMNIST, "resources", {"train": [(name, files.md5(content)) for name, content in stored.items()]})
    assert_is(datasets.QMNIST(tmp_path, download=True), images, digits)
    assert datasets.QMNIST(tmp_path, "train", compat=False)[2][1].tolist() == labels[2].tolist()
    assert "Split: train" in repr(datasets.QMNIST(tmp_path))


# ---------------------------------------------------------------------------------------------------- CIFAR, SVHN

def cifar10_files() -> dict[str, bytes]:
    folder = datasets.CIFAR10.base_folder
    stored = {f"{folder}/{name}": files.python2_pickle(files.cifar_batch(3, seed))
              for seed, (name, _) in enumerate([*datasets.CIFAR10.train_list, *datasets.CIFAR10.test_list])}
    stored[f"{folder}/batches.meta"] = files.python2_pickle({"label_names": ["airplane", "automobile"], "num_vis": 3072})
    return stored


def with_checksums(monkeypatch: pytest.MonkeyPatch, cls: Any, stored: dict[str, bytes]) -> None:
    """Give a class the checksums of these files."""
    for listed in ("train_list", "test_list"):
        with_checksums = [[name, files.md5(stored[f"{cls.base_folder}/{name}"])] for name, _ in getattr(cls, listed)]
        monkeypatch.setattr(cls, listed, with_checksums)
    monkeypatch.setattr(cls, "meta", {**cls.meta, "md5": files.md5(stored[f"{cls.base_folder}/{cls.meta['filename']}"])})


def test_a_pickle_of_python_2_is_what_python_reads(tmp_path: Path) -> None:
    batch = files.cifar_batch(3, 0)
    (tmp_path / "batch").write_bytes(files.python2_pickle(batch))
    found, plain = read_batch(str(tmp_path / "batch")), pickle.loads(files.python2_pickle(batch), encoding="latin1")
    assert found.keys() == plain.keys() and found["data"].dtype == np.uint8
    assert np.array_equal(found["data"], plain["data"]) and np.array_equal(found["data"], batch["data"])
    assert found["labels"] == plain["labels"] and found["filenames"] == plain["filenames"]


@pytest.mark.parametrize("content", [
    b"cos\nsystem\n(S'true'\ntR.", files.python2_pickle(files.cifar_batch(3, 0))[:-100], b"", b"garbage", pickle.dumps([1, 2]),
    pickle.PROTO + b"\x02" + files.written("elsewhere") + pickle.BINPERSID + pickle.STOP])
def test_a_file_that_is_no_batch_runs_nothing(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "batch").write_bytes(content)
    with pytest.raises(ValueError, match="is no batch of CIFAR"):
        read_batch(str(tmp_path / "batch"))


def test_cifar10(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = cifar10_files()
    with_checksums(monkeypatch, datasets.CIFAR10, stored)
    archive = files.packed(stored)
    server.files["cifar-10-python.tar.gz"] = archive
    monkeypatch.setattr(datasets.CIFAR10, "url", server.address + "cifar-10-python.tar.gz")
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", files.md5(archive))
    with pytest.raises(RuntimeError, match="(?s)not found or corrupted.*cifar-10-python.tar.gz.*cifar-10-batches-py"):
        datasets.CIFAR10(tmp_path)
    found = datasets.CIFAR10(str(tmp_path), download=True)
    images = np.concatenate([files.cifar_batch(3, seed)["data"] for seed in range(5)])
    images = images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    assert found.data.shape == (15, 32, 32, 3) and np.array_equal(found.data, images)
    assert found.classes == ["airplane", "automobile"]
    image, label = found[4]
    assert image.mode == "RGB" and np.array_equal(np.asarray(image), images[4]) and label == files.cifar_batch(3, 1)["labels"][1]
    assert len(datasets.CIFAR10(tmp_path, train=False, download=True)) == 3 and len(server.asked) == 1
    assert "Split: Test" in repr(datasets.CIFAR10(tmp_path, train=False)) and found.class_to_idx["automobile"] == 1
    (tmp_path / "cifar-10-batches-py" / "data_batch_3").write_bytes(b"damaged")
    with pytest.raises(RuntimeError, match="not found or corrupted"):
        datasets.CIFAR10(tmp_path)


def test_cifar100(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = datasets.CIFAR100.base_folder
    stored = {f"{folder}/{name}": files.python2_pickle(files.cifar_batch(4, seed, "fine_labels", coarse_labels=[1] * 4))
              for seed, name in enumerate(("train", "test"))}
    stored[f"{folder}/meta"] = files.python2_pickle({"fine_label_names": ["apple"], "coarse_label_names": ["fruit"]})
    with_checksums(monkeypatch, datasets.CIFAR100, stored)
    files.write(tmp_path, stored)
    found = datasets.CIFAR100(tmp_path, train=False)
    assert found.targets == files.cifar_batch(4, 1, "fine_labels")["fine_labels"] and found.classes == ["apple"]


def test_svhn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    io = pytest.importorskip("scipy.io", reason="the files are MATLAB's, which SciPy reads")
    images = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 4), dtype=np.uint8)
    io.savemat(tmp_path / "train_32x32.mat", {"X": images, "y": np.array([[1], [10], [3], [9]], np.uint8)})
    entry = [*datasets.SVHN.split_list["train"][:2], files.md5((tmp_path / "train_32x32.mat").read_bytes())]
    monkeypatch.setattr(datasets.SVHN, "split_list", {"train": entry})
    found = datasets.SVHN(tmp_path, download=True)
    assert found.labels.tolist() == [1, 0, 3, 9] and found.data.shape == (4, 3, 32, 32)
    image, label = found[1]
    assert np.array_equal(np.asarray(image), images[..., 1]) and label == 0 and "Split: train" in repr(found)
    (tmp_path / "train_32x32.mat").unlink()
    with pytest.raises(RuntimeError, match="train_32x32.mat"):
        datasets.SVHN(tmp_path)


# ---------------------------------------------------------------------------------------------------- folders, noise

def picture(colour: tuple[int, int, int], mode: str = "RGB") -> Any:
    return Image.new("RGB", (5, 4), colour).convert(mode)


@pytest.fixture(name="pets")
def folder_of_pets(tmp_path: Path) -> Path:
    for name, mode in (("cat/1.png", "RGB"), ("cat/more/2.PNG", "L"), ("dog/1.bmp", "RGB")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        picture((len(name), 2, 3), mode).save(tmp_path / name)
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    return tmp_path


def test_a_folder_of_images(pets: Path) -> None:
    found = datasets.ImageFolder(str(pets))
    assert found.classes == ["cat", "dog"] and found.class_to_idx == {"cat": 0, "dog": 1} and found.targets == [0, 0, 1]
    assert [Path(path).relative_to(pets).as_posix() for path, _ in found.samples] == ["cat/1.png", "cat/more/2.PNG", "dog/1.bmp"]
    assert found.imgs is found.samples
    assert all(found[i][0].mode == "RGB" and found[i][0].size == (5, 4) for i in range(3))
    assert found[2][0].getpixel((0, 0)) == (9, 2, 3) and found[2][1] == 1
    assert datasets.ImageFolder(pets, transform=transforms.ToTensor(), target_transform=str)[1][1] == "0"
    assert datasets.ImageFolder(pets, is_valid_file=lambda path: path.endswith("1.bmp"), allow_empty=True).targets == [1]
    assert datasets.DatasetFolder(pets, Path, extensions=(".txt",), allow_empty=True)[0] == (pets / "cat" / "notes.txt", 0)
    assert repr(found).startswith("Dataset ImageFolder\n    Number of datapoints: 3\n    Root location: ")


def test_folders_that_are_none(pets: Path, tmp_path: Path) -> None:
    (tmp_path / "fish").mkdir()
    with pytest.raises(FileNotFoundError, match="no valid file for the classes fish. Supported extensions are: .jpg, .jpeg"):
        datasets.ImageFolder(pets)
    with pytest.raises(FileNotFoundError, match="Couldn't find any class folder"):
        find_classes(tmp_path / "fish")
    with pytest.raises(ValueError, match="cannot be None or not None at the same time"):
        make_dataset(pets)
    with pytest.raises(ValueError, match="must have at least one entry"):
        make_dataset(pets, {}, IMG_EXTENSIONS)
    assert is_image_file("A.JPEG") and not is_image_file("a.gif") and default_loader(pets / "dog" / "1.bmp").mode == "RGB"


def test_noise_is_the_same_each_time_and_leaves_the_generator_alone() -> None:
    found = datasets.FakeData(size=3, image_size=(3, 8, 9), num_classes=4, transform=transforms.PILToTensor())
    state = mg.get_rng_state()
    first, label = found[1]
    assert mg.equal(mg.get_rng_state(), state) and first.shape == (3, 8, 9) and 0 <= label < 4
    assert mg.equal(found[1][0], first) and not mg.equal(found[2][0], first)
    assert mg.equal(datasets.FakeData(3, (3, 8, 9), 4, transforms.PILToTensor(), random_offset=1)[0][0], first)
    with pytest.raises(IndexError, match="FakeData index out of range"):
        found[3]


def test_a_data_set_of_ones_own() -> None:
    class Numbers(datasets.VisionDataset):
        def __getitem__(self, index: int) -> Any:
            return self.transforms(index, 2 * index) if self.transforms is not None else (index, 2 * index)

        def __len__(self) -> int:
            return 3

    assert Numbers()[1] == (1, 2) and Numbers(transforms=lambda x, y: (y, x))[1] == (2, 1)
    assert Numbers(transform=str, target_transform=float)[1] == ("1", 2.0)
    with pytest.raises(ValueError, match="Only transforms or transform/target_transform can be passed"):
        Numbers(transforms=lambda x, y: (x, y), transform=str)
    assert repr(Numbers("~", transform=transforms.ToTensor())).endswith("StandardTransform\nTransform: ToTensor()")


# ---------------------------------------------------------------------------------------------------- torchvision

@pytest.mark.parity
def test_folders_are_torchvisions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one library unpacked the other finds, and describes in the same words."""
    theirs = torchvision_or_skip().datasets
    stored = {name.removesuffix(".gz"): gzip.decompress(content) for name, content in files.mnist_files().items()}
    files.write(tmp_path / "MNIST" / "raw", stored)
    cifar = cifar10_files()
    files.write(tmp_path, cifar)
    for cls in (datasets.CIFAR10, theirs.CIFAR10):
        with_checksums(monkeypatch, cls, cifar)
    for name in ("MNIST", "CIFAR10"):
        ours_, theirs_ = getattr(datasets, name)(tmp_path), getattr(theirs, name)(tmp_path)
        assert len(ours_) == len(theirs_) and repr(ours_) == repr(theirs_)
        for i in range(len(ours_)):
            assert np.array_equal(np.asarray(ours_[i][0]), np.asarray(theirs_[i][0])) and ours_[i][1] == theirs_[i][1]


@pytest.mark.parity
def test_checksums_and_addresses_are_torchvisions() -> None:
    theirs = torchvision_or_skip().datasets
    for name in ("MNIST", "FashionMNIST", "KMNIST"):
        assert getattr(datasets, name).resources == getattr(theirs, name).resources
        assert set(getattr(theirs, name).mirrors) <= set(getattr(datasets, name).mirrors)
        assert getattr(datasets, name).classes == getattr(theirs, name).classes
    for name in ("CIFAR10", "CIFAR100"):
        for attribute in ("base_folder", "url", "filename", "tgz_md5", "train_list", "test_list", "meta"):
            assert getattr(getattr(datasets, name), attribute) == getattr(getattr(theirs, name), attribute)
    assert datasets.SVHN.split_list == theirs.SVHN.split_list
    assert datasets.EMNIST.classes_split_dict == theirs.EMNIST.classes_split_dict
    assert (datasets.EMNIST.mirrors[0] + datasets.EMNIST.resources[0][0], datasets.EMNIST.resources[0][1]) == (
        theirs.EMNIST.url, theirs.EMNIST.md5)
    assert {what: [(datasets.QMNIST.mirrors[0] + name, md5) for name, md5 in found]
            for what, found in datasets.QMNIST.resources.items()} == theirs.QMNIST.resources
