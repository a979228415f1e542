"""Networks for images: their state is torchvision's, and with the same weights they compute the same."""

from __future__ import annotations

import copy
import hashlib
import http.server
import importlib
import json
import pickle
import re
import threading
from functools import partial
from pathlib import Path
from typing import Any, Iterator

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn.modules import factory
from minigrad.vision import models
from minigrad.vision.models import _api
from minigrad.vision.models._utils import IntermediateLayerGetter
from minigrad.vision.models.feature_extraction import create_feature_extractor, get_graph_node_names
from tests.vision import table
from tests.vision.oracle import as_array, assert_same, torchvision_or_skip

NAMES = models.list_models()


def builders() -> Any:
    """For each model the table of its weights."""
    return {name: models.get_model_weights(name) for name in NAMES}


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights are zeros that nobody reads or writes, so that large models take neither time nor memory."""
    monkeypatch.setattr(factory, "buffer", lambda value, *size, **kwargs: mg.zeros(size, **kwargs))
    for name in nn.init.__all__:
        if name.endswith("_"):
            monkeypatch.setattr(nn.init, name, lambda tensor, *args, **kwargs: tensor)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which published weights are kept, empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(mg.hub, "_dir", None)  # what another test chose
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


# ---------------------------------------------------------------------------------------------------- states

@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("name", NAMES)
def test_states_have_torchvisions_names_and_shapes(name: str) -> None:
    model = models.get_model(name)
    assert table.fingerprint(model.state_dict()) == json.loads(table.FILE.read_text(encoding="utf-8"))[name]
    count = sum(p.numel() for key, p in model.named_parameters() if not key.startswith("aux"))  # which GoogLeNet's are not among
    size = getattr(model, "image_size", None)
    assert {weights.meta["num_params"] for weights in models.get_model_weights(name)
            if weights.meta["config"].get("image_size") == size} == {count}


@pytest.mark.parity
def test_the_table_is_torchvisions() -> None:
    torch, theirs = pytest.importorskip("torch"), torchvision_or_skip().models
    rows = json.loads(table.FILE.read_text(encoding="utf-8"))
    assert sorted(rows) == NAMES
    for name in ("resnet50", "vgg16_bn", "mobilenet_v3_small", "efficientnet_v2_s"):
        with torch.device("meta"):
            assert rows[name] == table.fingerprint(theirs.get_model(name).state_dict())


@pytest.mark.parity
def test_published_weights_are_torchvisions() -> None:
    theirs = torchvision_or_skip().models
    for name, ours in builders().items():
        expected = theirs.get_model_weights(name)
        assert ours.__name__ == expected.__name__ and list(ours.__members__) == list(expected.__members__)
        for member in expected.__members__:
            one, other = expected[member], ours[member]
            assert other.name == one.name and repr(other) == repr(one) and other.url == one.url
            assert repr(other.transforms()) == repr(one.transforms())
            for key in ("num_params", "min_size"):
                assert other.meta[key] == one.meta[key], (member, key)
            np.testing.assert_equal(other.meta["_metrics"]["ImageNet-1K"], one.meta["_metrics"]["ImageNet-1K"])


# ---------------------------------------------------------------------------------------------------- values

SMALL = ("densenet121", "efficientnet_b0", "efficientnet_v2_s", "googlenet", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small",
         "resnet18", "resnext50_32x4d", "shufflenet_v2_x0_5", "squeezenet1_0", "squeezenet1_1")


# Models that are made small by their classes: of torchvision's models or of ours.
CLASSES: dict[str, Any] = {
    "vit": lambda m: m.VisionTransformer(64, 16, 2, 4, 16, 32, num_classes=7),
    "vit, with a stem": lambda m: m.VisionTransformer(
        64, 16, 1, 2, 16, 32, num_classes=7, representation_size=8,
        conv_stem_configs=[m.vision_transformer.ConvStemConfig(8, 3, 4), m.vision_transformer.ConvStemConfig(8, 3, 4)]),
    "convnext": lambda m: m.ConvNeXt([importlib.import_module(f"{m.__name__}.convnext").CNBlockConfig(8, 16, 2),
                                      importlib.import_module(f"{m.__name__}.convnext").CNBlockConfig(16, None, 1)],
                                     stochastic_depth_prob=0.5, layer_scale=0.5, num_classes=7),
}


def make(library: Any, name: str) -> Any:
    """The model of that name with seven classes, of torchvision's models or of ours."""
    if name in CLASSES:
        return CLASSES[name](library)
    return library.get_model(name, num_classes=7, **({"init_weights": False} if name == "googlenet" else {}))


def settle(model: Any) -> None:
    """No layer is left to chance, and norms know the last batch only, so that in evaluation values stay of their size."""
    for module in model.modules():
        if type(module).__name__ in ("Dropout", "StochasticDepth"):
            module.p = 0.0
        elif hasattr(module, "momentum"):
            module.momentum = 1.0


@pytest.mark.parity
@pytest.mark.parametrize("name", [*SMALL, *CLASSES])
def test_the_same_weights_give_the_same_values_and_gradients(name: str, tmp_path: Path) -> None:
    torch, library = pytest.importorskip("torch"), torchvision_or_skip().models
    torch.manual_seed(0)
    theirs, ours = make(library, name), make(models, name)
    for p in theirs.parameters():
        if not p.any():  # the last layer of some begins with 0, which hides the rest
            torch.nn.init.normal_(p)
    assert list(theirs.state_dict()) == list(ours.state_dict())
    torch.save(theirs.state_dict(), tmp_path / "weights.pth")
    ours.load_state_dict(mg.load(tmp_path / "weights.pth"))
    images = np.random.default_rng(0).standard_normal((2, 3, 64, 64))
    x, y = torch.from_numpy(images), mg.from_numpy(images)
    assert_same(theirs.eval()(x.float()), ours.eval()(y.float()), 1e-5)

    settle(theirs.double().train()), settle(ours.double().train())
    expected, found = theirs(x), ours(y)
    assert isinstance(found, tuple) == isinstance(expected, tuple)
    for one, other in zip(expected, found) if isinstance(found, tuple) else [(expected, found)]:
        assert_same(one, other, 1e-9)
    sum((part * part).sum() for part in (expected if isinstance(expected, tuple) else [expected])).backward()
    sum((part * part).sum() for part in (found if isinstance(found, tuple) else [found])).backward()
    largest = max(p.grad.abs().max().item() for p in theirs.parameters())
    for (key, p), q in zip(theirs.named_parameters(), ours.parameters()):
        assert np.abs(as_array(p.grad) - as_array(q.grad)).max() <= 1e-8 * largest, key

    assert_same(theirs.eval()(x), ours.eval()(y), 1e-9)


@pytest.mark.parity
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("name", ["alexnet", "vgg11", "vgg16_bn", "inception_v3"])
def test_convolutions_of_large_models_give_the_same_values(name: str) -> None:
    torch, library = pytest.importorskip("torch"), torchvision_or_skip().models
    given = {"init_weights": False} if name == "inception_v3" else {}
    with torch.device("meta"):
        theirs = library.get_model(name, **given)
    ours = models.get_model(name, **given)
    parts = [key for key, _ in theirs.named_children() if key not in ("classifier", "fc", "AuxLogits", "avgpool", "dropout")]
    shape = (1, 3, 75, 75)
    x, y = torch.from_numpy(image := np.random.default_rng(0).standard_normal(shape, dtype=np.float32)), mg.from_numpy(image)
    for part in parts:
        one, other = getattr(theirs, part).to_empty(device="cpu").eval(), getattr(ours, part).eval()
        for key, value in one.state_dict().items():
            if value.is_floating_point():
                fan = value[0].numel() if value.ndim > 1 else 1
                drawn = torch.randn(value.shape)
                value.copy_(drawn.abs() + 0.5 if "var" in key else drawn * (2 / fan) ** 0.5)
        other.load_state_dict({key: mg.from_numpy(value.numpy()) for key, value in one.state_dict().items()})
        with torch.no_grad(), mg.no_grad():
            x, y = one(x), other(y)
        assert_same(x, y, 1e-5)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["densenet121", "efficientnet_b0", "googlenet", "mnasnet0_5", "mobilenet_v2",
                                  "mobilenet_v3_small", "resnet18", "shufflenet_v2_x0_5", "squeezenet1_1"])
def test_weights_are_drawn_from_torchvisions_distributions(name: str) -> None:
    torch, library = pytest.importorskip("torch"), torchvision_or_skip().models
    torch.manual_seed(0)
    unwarned = {"init_weights": True} if name == "googlenet" else {}
    theirs, ours = library.get_model(name, **unwarned), models.get_model(name, **unwarned)
    for (key, p), q in zip(theirs.named_parameters(), ours.parameters()):
        one, other = as_array(p), as_array(q)
        if one.std() == 0:
            assert np.array_equal(one, other), key
        elif one.size > 1000:
            assert other.std() == pytest.approx(one.std(), rel=0.12), key
            assert abs(other.mean()) < 5 * one.std() / one.size ** 0.5, key
            assert np.abs(other).max() == pytest.approx(np.abs(one).max(), rel=0.6), key


def test_arguments_of_models() -> None:
    dilated = models.resnet50(num_classes=3, replace_stride_with_dilation=[False, True, True], zero_init_residual=True,
                              norm_layer=partial(nn.GroupNorm, 4))
    assert dilated.layer4[2].conv2.dilation == (4, 4) and dilated.layer3[0].conv2.stride == (1, 1)
    assert not dilated.layer1[0].bn3.weight.any() and dilated.fc.out_features == 3
    features = dilated.layer3(dilated.layer2(dilated.layer1(mg.rand(1, 64, 8, 8))))
    assert dilated.layer4(features).shape == (1, 2048, 4, 4)
    tail = models.mobilenet_v3_small(num_classes=2, reduced_tail=True, dilated=True, width_mult=0.5).eval()
    assert tail.features[-1].out_channels == 144 and tail(mg.rand(1, 3, 32, 32)).shape == (1, 2)
    small = models.DenseNet(4, (1, 2), 8, memory_efficient=True, drop_rate=0.1, num_classes=3)
    small(mg.rand(2, 3, 32, 32)).sum().backward()
    assert all(p.grad is not None for p in small.parameters())
    with pytest.raises(RuntimeError, match=r"height and width should be 32, got \(1, 3, 16, 16\)"):
        models.VisionTransformer(32, 16, 1, 1, 8, 8)(mg.rand(1, 3, 16, 16))
    for wrong in (lambda: models.VisionTransformer(30, 16, 1, 1, 8, 8), lambda: models.ConvNeXt([]),
                  lambda: models.SqueezeNet("2_0"), lambda: models.MNASNet(0), lambda: models.GoogLeNet(blocks=[]),
                  lambda: models.resnet18(replace_stride_with_dilation=[True]), lambda: models.resnet18(groups=2),
                  lambda: models.MobileNetV2(inverted_residual_setting=[]), lambda: models.ShuffleNetV2([1], [1])):
        with pytest.raises(ValueError):
            wrong()
    with pytest.raises(NotImplementedError, match="Dilation > 1"):
        models.resnet18(replace_stride_with_dilation=[True, True, True])


# ---------------------------------------------------------------------------------------------------- published weights

def equal(one: nn.Module, other: nn.Module) -> bool:
    """Whether two models have the same state."""
    states = one.state_dict(), other.state_dict()
    return list(states[0]) == list(states[1]) and all(bool((states[0][key] == states[1][key]).all()) for key in states[0])


def test_a_model_begins_with_published_weights(cache: Path) -> None:
    trained = models.squeezenet1_1()
    mg.save(trained.state_dict(), cache / "squeezenet1_1-b8a52dc0.pth")
    for weights in ("DEFAULT", "IMAGENET1K_V1", "SqueezeNet1_1_Weights.IMAGENET1K_V1", models.SqueezeNet1_1_Weights.DEFAULT):
        assert equal(models.squeezenet1_1(weights=weights), trained)
    assert equal(models.get_model("SqueezeNet1_1", weights="DEFAULT", dropout=0.1, num_classes=1000), trained)
    assert not equal(models.squeezenet1_1(weights=None), trained)
    with pytest.raises(ValueError, match="squeezenet1_1: SqueezeNet1_1_Weights.IMAGENET1K_V1 fit num_classes=1000, got 10"):
        models.squeezenet1_1(weights="DEFAULT", num_classes=10)
    with pytest.raises(TypeError, match="expected SqueezeNet1_1_Weights but received ResNet18_Weights"):
        models.squeezenet1_1(weights=models.ResNet18_Weights.DEFAULT)


def test_pretrained_is_the_first_of_the_weights_and_deprecated(cache: Path) -> None:
    trained = models.squeezenet1_1()
    mg.save(trained.state_dict(), cache / "squeezenet1_1-b8a52dc0.pth")
    with pytest.warns(UserWarning, match="pass weights=SqueezeNet1_1_Weights.IMAGENET1K_V1, or SqueezeNet1_1_Weights.DEFAULT"):
        assert equal(models.squeezenet1_1(pretrained=True), trained)
    with pytest.warns(UserWarning, match="pretrained=True is deprecated"):
        assert equal(models.squeezenet1_1(True), trained)
    with pytest.warns(UserWarning, match="pretrained=False is deprecated: pass weights=None"):
        assert not equal(models.squeezenet1_1(pretrained=False), trained)


def test_googlenet_leaves_its_auxiliary_classifiers_in_the_file(cache: Path) -> None:
    trained = models.googlenet(init_weights=False)
    mg.save(trained.state_dict(), cache / "googlenet-1378be20.pth")
    model = models.googlenet(weights="DEFAULT")
    assert model.aux1 is None and not model.aux_logits and model.transform_input
    assert mg.equal(model.fc.weight, trained.fc.weight) and model(mg.rand(2, 3, 32, 32)).shape == (2, 1000)
    whole = models.googlenet(weights="DEFAULT", aux_logits=True, transform_input=False)
    assert equal(whole, trained) and not whole.transform_input
    assert [part.shape for part in whole(mg.rand(2, 3, 64, 64))] == [(2, 1000)] * 3


def test_transformers_old_names_are_accepted() -> None:
    trained = models.VisionTransformer(32, 16, 2, 2, 8, 16, num_classes=3)
    old = {key.replace("mlp.0.", "mlp.linear_1.").replace("mlp.3.", "mlp.linear_2."): value
           for key, value in trained.state_dict().items()}
    assert "encoder.layers.encoder_layer_1.mlp.linear_2.bias" in old
    again = models.VisionTransformer(32, 16, 2, 2, 8, 16, num_classes=3)
    again.load_state_dict(old)
    assert equal(again, trained)


def test_densenets_old_names_are_accepted() -> None:
    trained = models.DenseNet(4, (2, 1), 8, num_classes=3)
    old = {re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", key): value for key, value in trained.state_dict().items()}
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    again = models.DenseNet(4, (2, 1), 8, num_classes=3)
    again.load_state_dict(old)
    assert equal(again, trained)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of a server that serves the files of `tmp_path`."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_weights_are_fetched_once_and_checked(cache: Path, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = models.LeNet()
    mg.save(trained.state_dict(), tmp_path / "lenet.pth")
    begin = hashlib.sha256((tmp_path / "lenet.pth").read_bytes()).hexdigest()[:8]
    (tmp_path / "lenet-01234567.pth").write_bytes(b"something else")
    (tmp_path / "lenet.pth").rename(tmp_path / f"lenet-{begin}.pth")
    monkeypatch.setattr(_api, "BUILDERS", {})
    monkeypatch.setattr(_api, "WEIGHTS", {})
    monkeypatch.setattr(_api, "PUBLISHED", address)

    class LeNet_Weights(models.WeightsEnum):
        GOOD = _api.imagenet(f"lenet-{begin}", 61_706, 0, 0)
        WRONG = _api.imagenet("lenet-01234567", 61_706, 0, 0)

    @_api.builds(LeNet_Weights, num_classes=1000)
    def lenet(num_classes: int) -> models.LeNet:
        return models.LeNet()

    assert models.list_models() == ["lenet"] and models.get_weight("LeNet_Weights.GOOD") is LeNet_Weights.GOOD
    assert equal(lenet(weights="GOOD"), trained)
    (tmp_path / f"lenet-{begin}.pth").unlink()
    assert equal(lenet(weights=LeNet_Weights.GOOD, progress=False), trained)
    with pytest.raises(RuntimeError, match='invalid hash value .expected "01234567"'):
        lenet(weights="WRONG")
    assert [file.name for file in cache.iterdir()] == [f"lenet-{begin}.pth"]


def test_names_of_models_and_weights() -> None:
    assert models.list_models(include="vgg1[13]*", exclude=["*_bn"]) == ["vgg11", "vgg13"]
    assert models.list_models(module=models) == NAMES and models.list_models(module=nn) == []
    assert models.get_model_builder("ResNet18") is models.resnet18
    assert models.get_model_weights(models.resnet50) is models.get_model_weights("resnet50") is models.ResNet50_Weights
    assert models.get_weight("ResNet50_Weights.DEFAULT") is models.ResNet50_Weights.IMAGENET1K_V2
    for wrong in ("ResNet50_Weights", "ResNet50_Weights.V9", "Nothing.DEFAULT"):
        with pytest.raises(ValueError, match="Invalid weight name"):
            models.get_weight(wrong)
    with pytest.raises(ValueError, match="Unknown model resnet19"):
        models.get_model("resnet19")
    with pytest.raises(ValueError, match="ResNet18_Weights has no 'IMAGENET'; it has IMAGENET1K_V1, DEFAULT"):
        models.resnet18(weights="IMAGENET")
    with pytest.raises(ValueError, match="there are no weights for <class '.*LeNet'>"):
        models.get_model_weights(models.LeNet)
    weights = models.VGG16_Weights.IMAGENET1K_FEATURES
    assert copy.deepcopy(weights) is weights is pickle.loads(pickle.dumps(weights))


@pytest.mark.usefixtures("undrawn")
def test_paths_of_torchvisions_files() -> None:
    resnet = importlib.import_module("minigrad.vision.models.resnet")
    assert resnet.resnet18 is models.resnet18
    assert isinstance(resnet.ResNet(resnet.BasicBlock, [1, 1, 1, 1]).layer1[0].conv1, type(resnet.conv3x3(1, 1)))
    assert importlib.import_module("minigrad.vision.models.mobilenet").MobileNetV3 is models.MobileNetV3
    assert importlib.import_module("minigrad.vision.models.utils").load_state_dict_from_url is mg.hub.load_state_dict_from_url
    assert importlib.import_module("minigrad.vision.ops.focal_loss").sigmoid_focal_loss is mg.vision.ops.sigmoid_focal_loss
    assert models.alexnet(num_classes=2, dropout=0.1).classifier[6].out_features == 2  # the function, and not the file


# ---------------------------------------------------------------------------------------------------- inside of models

def test_what_modules_inside_compute() -> None:
    model = models.resnet18().eval()
    extractor = create_feature_extractor(model, {"layer1.0.relu": "in", "layer1.0.relu_1": "out", "layer2": "layer2"})
    x = mg.rand(1, 3, 32, 32)
    found = extractor(x)
    first = model.layer1[0](stem := model.maxpool(model.relu(model.bn1(model.conv1(x)))))
    assert list(found) == ["in", "out", "layer2"] and mg.equal(found["out"], first)
    assert mg.equal(found["in"], model.layer1[0].relu(model.layer1[0].bn1(model.layer1[0].conv1(stem))))
    assert mg.equal(found["layer2"], model.layer2(model.layer1(stem)))
    assert list(extractor.state_dict()) == list(model.state_dict())
    found["layer2"].sum().backward()
    assert model.layer2[1].conv2.weight.grad is not None and model.layer3[0].conv1.weight.grad is None
    assert not any(module._forward_hooks for module in model.modules())


def test_what_is_computed_in_training_may_be_something_else() -> None:
    model = models.googlenet(init_weights=False)
    extractor = create_feature_extractor(model, train_return_nodes=["aux1", "fc"], eval_return_nodes=["inception3a"])
    assert list(extractor(mg.rand(2, 3, 64, 64))) == ["aux1", "fc"]
    extractor.eval()
    assert not model.inception3a.training and list(extractor(mg.rand(1, 3, 64, 64))) == ["inception3a"]
    again = copy.deepcopy(extractor)
    assert again.conv1 is not model.conv1 and again.model.conv1 is again.conv1


def test_modules_that_are_not_there_or_not_called_are_named() -> None:
    model = models.squeezenet1_1().eval()
    with pytest.raises(ValueError, match="'flatten' is not present in model"):
        create_feature_extractor(model, ["flatten"])
    with pytest.raises(ValueError, match="not called, or not so often: .'features_1'"):
        create_feature_extractor(model, ["features", "features_1"])(mg.rand(1, 3, 32, 32))
    for wrong in ({}, {"train_return_nodes": ["features"]}, {"return_nodes": ["features"], "eval_return_nodes": ["features"]}):
        with pytest.raises(ValueError, match="pass return_nodes, or both"):
            create_feature_extractor(model, **wrong)
    assert get_graph_node_names(model)[0][:2] == ["features", "features.0"]
    with pytest.raises(ValueError, match="return_layers are not present in model"):
        IntermediateLayerGetter(model, {"layer1": "x"})
    backbone = IntermediateLayerGetter(models.resnet18(), {"layer1": "low", "layer3": "high"})
    assert list(backbone) == ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3"]
    assert {name: tuple(x.shape) for name, x in backbone(mg.rand(2, 3, 32, 32)).items()} == {
        "low": (2, 64, 8, 8), "high": (2, 256, 2, 2)}
