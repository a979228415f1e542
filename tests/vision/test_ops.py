"""Operations on boxes and regions, and layers: worked examples, and torchvision's values and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.vision import ops
from minigrad.vision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7
from tests.vision.oracle import as_array, assert_same, both, torchvision_or_skip

rng = np.random.default_rng(0)


def boxes(count: int, size: float = 50, dtype: Any = np.float32) -> Any:
    """Boxes of at least one pixel, somewhere in a square."""
    corner = rng.random((count, 2)) * size
    return np.concatenate([corner, corner + 1 + rng.random((count, 2)) * size / 2], 1).astype(dtype)


ONE, OTHER = mg.tensor([[0.0, 0.0, 2.0, 2.0]]), mg.tensor([[1.0, 1.0, 3.0, 3.0], [0.0, 0.0, 2.0, 2.0], [4.0, 0.0, 6.0, 2.0]])


# ---------------------------------------------------------------------------------------------------- worked examples

def test_nms_by_hand() -> None:
    corners = mg.tensor([[0.0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30], [0, 0, 10, 9]])
    found = ops.nms(corners, mg.tensor([0.5, 0.9, 0.7, 0.4]), 0.5)
    assert found.tolist() == [1, 2] and found.dtype == mg.int64
    assert ops.nms(mg.zeros(0, 4), mg.zeros(0), 0.5).shape == (0,)
    assert ops.nms(mg.zeros(2, 4), mg.ones(2), 0.5).tolist() == [0, 1]  # without area nothing is shared
    with pytest.raises(RuntimeError, match=r"nms: boxes should be of shape \(N, 4\) and scores of \(N,\), got \(2, 3\) and"):
        ops.nms(mg.zeros(2, 3), mg.zeros(2), 0.5)
    one = mg.tensor([[0.0, 0, 10, 10]]).expand(3, -1)
    assert ops.batched_nms(one, mg.tensor([0.1, 0.3, 0.2]), mg.tensor([0, 0, 1]), 0.5).tolist() == [1, 2]
    assert ops.batched_nms(one[:0], mg.zeros(0), mg.zeros(0), 0.5).shape == (0,)


def test_overlaps_by_hand() -> None:
    assert ops.box_iou(ONE, OTHER)[0].tolist() == pytest.approx([1 / 7, 1, 0])
    assert ops.generalized_box_iou(ONE, OTHER)[0].tolist() == pytest.approx([1 / 7 - 2 / 9, 1, -1 / 3])
    assert ops.distance_box_iou(ONE, OTHER)[0].tolist() == pytest.approx([1 / 7 - 2 / 18, 1, -16 / 40], abs=1e-6)
    assert ops.complete_box_iou(ONE, OTHER)[0].tolist() == pytest.approx([1 / 7 - 2 / 18, 1, -16 / 40], abs=1e-6)
    assert ops.box_area(OTHER.int()).tolist() == [4, 4, 4]
    assert ops.box_area(mg.tensor([[0, 0, 200, 200]], dtype=mg.uint8)).tolist() == [40000]
    assert ops.generalized_box_iou_loss(ONE, OTHER[:1], reduction="mean").item() == pytest.approx(1 - 1 / 7 + 2 / 9)


def test_boxes_by_hand() -> None:
    box = mg.tensor([[1.0, 2.0, 5.0, 8.0]])
    assert ops.box_convert(box, "xyxy", "xywh").tolist() == [[1, 2, 4, 6]]
    assert ops.box_convert(box, "xyxy", "cxcywh").tolist() == [[3, 5, 4, 6]]
    for one in ("xyxy", "xywh", "cxcywh"):
        for other in ("xyxy", "xywh", "cxcywh"):
            assert mg.equal(ops.box_convert(ops.box_convert(box, one, other), other, one), box)
    assert ops.clip_boxes_to_image(mg.tensor([[-1.0, 3, 9, 20]]), (10, 8)).tolist() == [[0, 3, 8, 10]]
    assert ops.remove_small_boxes(mg.tensor([[0.0, 0, 3, 1], [0, 0, 2, 2]]), 2).tolist() == [1]
    mask = mg.zeros(2, 5, 6, dtype=mg.bool)
    mask[0, 1:3, 2:6] = True
    assert ops.masks_to_boxes(mask).tolist() == [[2, 1, 5, 2], [0, 0, 0, 0]] and ops.masks_to_boxes(mask[:0]).shape == (0, 4)
    for wrong in (lambda: ops.box_convert(box, "xyxy", "yxyx"), lambda: ops.box_area(box, "yxyx"),
                  lambda: ops.box_iou(box, box, "yxyx"), lambda: ops.generalized_box_iou_loss(box, box, "middle"),
                  lambda: ops.sigmoid_focal_loss(box, box, alpha=2)):
        with pytest.raises(ValueError, match=r"yxyx|middle|Invalid alpha"):
            wrong()


def test_regions_by_hand() -> None:
    ramp = mg.arange(16.0).reshape(1, 1, 4, 4)
    whole = mg.tensor([[0.0, 0, 0, 4, 4]])
    assert ops.roi_align(ramp, whole, 2, aligned=True)[0, 0].tolist() == [[2.5, 4.5], [10.5, 12.5]]
    assert ops.roi_align(ramp, [whole[:, 1:]], 4, sampling_ratio=1, aligned=True)[0, 0].tolist() == ramp[0, 0].tolist()
    assert ops.roi_pool(ramp, mg.tensor([[0.0, 0, 0, 3, 3]]), 2)[0, 0].tolist() == [[5, 7], [13, 15]]
    assert ops.roi_pool(ramp, mg.tensor([[0.0, 9, 9, 9, 9]]), 1)[0, 0].tolist() == [[0]]
    for function in (ops.roi_align, ops.roi_pool):
        assert function(ramp, whole[:0], 2).shape == (0, 1, 2, 2)
        with pytest.raises(RuntimeError, match="boxes should be"):
            function(ramp, whole[:, 1:], 2)
        with pytest.raises(RuntimeError, match="boxes of an image should be"):
            function(ramp, [whole], 2)


def test_cells_of_roi_pool_are_exact_where_float32_is_not() -> None:
    """The last of 13 cells of a side of 7 ends at 13 * (7 / 13), which in float32 is more than 7."""
    ramp = mg.arange(9.0).reshape(1, 1, 1, 9)
    assert ops.roi_pool(ramp, mg.tensor([[0.0, 0, 0, 6, 0]]), (1, 13))[0, 0, 0, -1].item() == 6


@pytest.mark.parametrize("aligned", [True, False])
def test_gradients_of_regions(aligned: bool) -> None:
    features = mg.randn(1, 2, 5, 6, dtype=mg.float64, requires_grad=True)
    regions = mg.tensor([[0.0, 0.3, 0.4, 4.1, 3.9], [0, 2, 1, 5, 4]], dtype=mg.float64)
    assert mg.autograd.gradcheck(lambda x: ops.roi_align(x, regions, 2, 1.0, 2, aligned), (features,))
    assert mg.autograd.gradcheck(lambda x: ops.roi_pool(x, regions, 2), (features,))


def test_stochastic_depth() -> None:
    x = mg.ones(1000, 2, 2)
    rows = ops.stochastic_depth(x, 0.25, "row")
    assert rows.unique().tolist() == pytest.approx([0, 4 / 3])
    assert mg.equal(rows, rows[:, :1, :1].expand_as(rows)) and 150 < (rows[:, 0, 0] == 0).sum().item() < 350
    assert len(ops.stochastic_depth(x, 0.5, "batch").unique()) == 1
    assert ops.stochastic_depth(x, 0.5, "row", training=False) is x and not ops.stochastic_depth(x, 1.0, "batch").any()
    assert ops.StochasticDepth(0.5, "row").eval()(x) is x
    for wrong in ((2.0, "row"), (0.5, "column")):
        with pytest.raises(ValueError, match="drop probability|mode has to be"):
            ops.stochastic_depth(x, *wrong)


def test_layers() -> None:
    frozen, norm = ops.FrozenBatchNorm2d(3), nn.BatchNorm2d(3)
    norm(mg.randn(4, 3, 5, 5))
    frozen.load_state_dict(norm.state_dict())
    x = mg.randn(2, 3, 4, 4)
    mg.testing.assert_close(frozen(x), norm.eval()(x))
    assert not list(frozen.parameters()) and repr(frozen) == "FrozenBatchNorm2d(3, eps=1e-05)"
    block = ops.Conv2dNormActivation(3, 8, kernel_size=(3, 5), dilation=2, activation_layer=nn.SiLU)
    assert block(x).shape == (2, 8, 4, 4) and block[0].bias is None and block.out_channels == 8
    assert ops.Conv2dNormActivation(3, 8, norm_layer=None, activation_layer=nn.Sigmoid, inplace=None)[0].bias is not None
    assert ops.Conv3dNormActivation(3, 8)(mg.randn(2, 3, 4, 4, 4)).shape == (2, 8, 4, 4, 4)
    assert ops.SqueezeExcitation(3, 2)(x).shape == x.shape and ops.Permute([0, 2, 3, 1])(x).shape == (2, 4, 4, 3)
    assert [type(layer).__name__ for layer in ops.MLP(3, [8, 2], norm_layer=nn.LayerNorm)] == [
        "Linear", "LayerNorm", "ReLU", "Dropout", "Linear", "Dropout"]


def test_pyramids_accept_states_of_version_1() -> None:
    pyramid = ops.FeaturePyramidNetwork([2, 3], 4, LastLevelP6P7(3, 4))
    old = {key.replace(".0.0.", ".0.").replace(".1.0.", ".1."): value for key, value in pyramid.state_dict().items()}
    again = ops.FeaturePyramidNetwork([2, 3], 4, LastLevelP6P7(3, 4))
    again.load_state_dict(old)
    levels = {"a": mg.randn(1, 2, 8, 8), "b": mg.randn(1, 3, 4, 4)}
    assert all(mg.equal(one, other) for one, other in zip(pyramid(levels).values(), again(levels).values()))
    assert list(pyramid(levels)) == ["a", "b", "p6", "p7"]
    with pytest.raises(TypeError, match="extra_blocks should be of type ExtraFPNBlock"):
        ops.FeaturePyramidNetwork([2], 4, nn.ReLU())
    with pytest.raises(ValueError, match="in_channels=0"):
        ops.FeaturePyramidNetwork([0], 4)


# ---------------------------------------------------------------------------------------------------- torchvision's values

@pytest.mark.parity
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nms_keeps_what_torchvision_keeps(dtype: Any) -> None:
    theirs = torchvision_or_skip().ops
    (a, x), (b, y), (c, z) = both(boxes(200, dtype=dtype)), both(rng.random(200).astype(dtype)), both(rng.integers(0, 4, 200))
    for threshold in (0.1, 0.3, 0.5, 0.7):
        assert_same(theirs.nms(a, b, threshold), ops.nms(x, y, threshold))
        assert_same(theirs.batched_nms(a, b, c, threshold), ops.batched_nms(x, y, z, threshold))


@pytest.mark.parity
@pytest.mark.parametrize("name", ["box_iou", "generalized_box_iou", "distance_box_iou", "complete_box_iou"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.float16])
def test_overlaps_are_torchvisions(name: str, dtype: Any) -> None:
    theirs = getattr(torchvision_or_skip().ops, name)
    (a, x), (b, y) = both(boxes(7, dtype=dtype)), both(boxes(5, dtype=dtype))
    assert_same(theirs(a, b), getattr(ops, name)(x, y), 1e-6)
    if name == "box_iou" and dtype == np.float32:
        for fmt in ("xywh", "cxcywh"):
            assert_same(theirs(a, b, fmt=fmt), ops.box_iou(x, y, fmt=fmt), 1e-6)


@pytest.mark.parity
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("name", ["generalized_box_iou_loss", "distance_box_iou_loss", "complete_box_iou_loss",
                                  "sigmoid_focal_loss"])
def test_losses_are_torchvisions(name: str, reduction: str) -> None:
    theirs = getattr(torchvision_or_skip().ops, name)
    targets = (rng.random((9, 4)) > 0.5).astype(np.float32) if name == "sigmoid_focal_loss" else boxes(9)
    (a, x), (b, y) = both(boxes(9) / (50 if name == "sigmoid_focal_loss" else 1), requires_grad=True), both(targets)
    expected, found = theirs(a, b, reduction=reduction), getattr(ops, name)(x, y, reduction=reduction)
    assert_same(expected, found, 1e-6)
    expected.sum().backward(), found.sum().backward()
    assert_same(a.grad, x.grad, 1e-5)


@pytest.mark.parity
def test_boxes_are_torchvisions() -> None:
    theirs = torchvision_or_skip().ops
    a, x = both(boxes(20))
    for one in ("xyxy", "xywh", "cxcywh"):
        for other in ("xyxy", "xywh", "cxcywh"):
            assert_same(theirs.box_convert(a, one, other), ops.box_convert(x, one, other), 1e-7)
    assert_same(theirs.clip_boxes_to_image(a, (30, 40)), ops.clip_boxes_to_image(x, (30, 40)))
    assert_same(theirs.remove_small_boxes(a, 10), ops.remove_small_boxes(x, 10))
    a, x = both(rng.random((6, 9, 11)) > 0.95)
    assert_same(theirs.masks_to_boxes(a), ops.masks_to_boxes(x))


def regions() -> Any:
    """Regions in two images, some of them beyond the edge, without size, or turned round."""
    inside = np.concatenate([rng.integers(0, 2, (9, 1)), boxes(9, 40) - 5], 1)
    return np.concatenate([inside, [[0, 5, 5, 5, 5], [1, 5, 5, 4, 4], [0, -30, -30, -20, -20]]]).astype(np.float32)


@pytest.mark.parity
@pytest.mark.parametrize(("name", "settings"), [("roi_align", (-1, True)), ("roi_align", (-1, False)), ("roi_align", (2, True)),
                                                ("roi_align", (2, False)), ("roi_pool", ())])
def test_regions_are_torchvisions(name: str, settings: Any) -> None:
    theirs = getattr(torchvision_or_skip().ops, name)
    features = np.maximum(rng.standard_normal((2, 3, 20, 24)), 0).astype(np.float32)  # with ties
    (a, x), (b, y) = both(features, requires_grad=True), both(regions())
    expected, found = theirs(a, b, (5, 3), 0.5, *settings), getattr(ops, name)(x, y, (5, 3), 0.5, *settings)
    assert_same(expected, found, 1e-6)
    (expected + expected * expected).sum().backward(), (found + found * found).sum().backward()
    assert_same(a.grad, x.grad, 1e-5)


@pytest.mark.parity
def test_pyramids_are_torchvisions() -> None:
    theirs = torchvision_or_skip().ops
    extra = torchvision_or_skip().ops.feature_pyramid_network
    levels = {name: rng.random((2, 4, side, side), dtype=np.float32) for name, side in (("a", 64), ("b", 32), ("c", 16))}
    one, other = ({name: both(level)[i] for name, level in levels.items()} for i in (0, 1))
    for mine, blocks in ((None, None), (LastLevelMaxPool(), extra.LastLevelMaxPool()),
                         (LastLevelP6P7(4, 4), extra.LastLevelP6P7(4, 4))):
        expected = theirs.FeaturePyramidNetwork([4, 4, 4], 4, blocks)
        found = ops.FeaturePyramidNetwork([4, 4, 4], 4, mine)
        found.load_state_dict({key: mg.from_numpy(as_array(value).copy()) for key, value in expected.state_dict().items()})
        results, ours = expected(one), found(other)
        assert list(ours) == list(results)
        for key in results:
            assert_same(results[key], ours[key], 1e-5)
    many = [both(boxes(6, 300)), both(boxes(3, 100))]
    expected = theirs.MultiScaleRoIAlign(["a", "c"], 3, 2)(one, [pair[0] for pair in many], [(512, 512)] * 2)
    assert_same(expected, ops.MultiScaleRoIAlign(["a", "c"], 3, 2)(other, [pair[1] for pair in many], [(512, 512)] * 2), 1e-6)


@pytest.mark.parity
@pytest.mark.parametrize(("name", "arguments"), [
    ("MLP", (5, [7, 3])), ("FrozenBatchNorm2d", (4,)), ("SqueezeExcitation", (4, 2)), ("Conv2dNormActivation", (4, 6)),
    ("Conv3dNormActivation", (4, 6)), ("Permute", ([0, 2, 1],)), ("StochasticDepth", (0.3, "row")), ("RoIPool", (3, 0.5)),
    ("RoIAlign", (3, 0.5, 2)), ("MultiScaleRoIAlign", (["a"], 3, 2))])
def test_layers_are_torchvisions(name: str, arguments: Any) -> None:
    expected, found = getattr(torchvision_or_skip().ops, name)(*arguments), getattr(ops, name)(*arguments)
    assert repr(found) == repr(expected)
    assert [(key, tuple(value.shape)) for key, value in found.state_dict().items()] == [
        (key, tuple(value.shape)) for key, value in expected.state_dict().items()]
