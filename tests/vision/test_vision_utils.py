"""Grids of images, and what was found drawn into images: torchvision's pixels."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.vision import utils
from tests.vision.oracle import assert_same, both, torchvision_or_skip

Image = pytest.importorskip("PIL.Image", reason="pictures are Pillow's")
rng = np.random.default_rng(0)
PICTURES = [(rng.random((3, 60, 60)) * 255).astype(np.uint8), rng.random((3, 60, 60), dtype=np.float32)]
GRIDS = [{}, {"nrow": 3, "padding": 1, "pad_value": 0.5}, {"normalize": True}, {"normalize": True, "value_range": (-1, 1)},
         {"normalize": True, "scale_each": True}]


def pixels(file: Any) -> Any:
    """What an image file holds."""
    with Image.open(file) as image:
        return np.array(image)


def test_grids_by_hand(tmp_path: Path) -> None:
    images = mg.tensor([1.0, 2, 3]).view(3, 1, 1, 1)
    assert utils.make_grid(images, nrow=2, padding=1)[0].tolist() == [
        [0, 0, 0, 0, 0], [0, 1, 0, 2, 0], [0, 0, 0, 0, 0], [0, 3, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert utils.make_grid(list(images), normalize=True, padding=0)[0].tolist() == [[0, 0.5, 1]]
    assert utils.make_grid(mg.ones(2, 2)).shape == (3, 2, 2)
    utils.save_image(images / 3, tmp_path / "grid.png", nrow=3, padding=0)
    assert pixels(tmp_path / "grid.png")[0, :, 0].tolist() == [85, 170, 255]
    for wrong in (1, [1], None):
        with pytest.raises(TypeError, match="tensor or list of tensors expected"):
            utils.make_grid(wrong)
    with pytest.raises(TypeError, match="value_range has to be a tuple"):
        utils.make_grid(images, normalize=True, value_range=[0, 1])


def test_nothing_is_written_into_what_is_given() -> None:
    images, picture = mg.rand(4, 3, 5, 5, requires_grad=True), mg.rand(3, 9, 9)
    before, seen = images.detach().clone(), picture.clone()
    grid = utils.make_grid(images, normalize=True, scale_each=True)
    single = utils.make_grid(images[0])
    assert not grid.requires_grad and not single.requires_grad
    single.zero_(), grid.zero_()
    utils.draw_bounding_boxes(picture, mg.tensor([[1, 1, 5, 5]]))
    utils.draw_segmentation_masks(picture, picture[0] > 0.5)
    assert mg.equal(images, before) and mg.equal(picture, seen)


def test_what_cannot_be_drawn_is_said() -> None:
    picture, box = mg.rand(3, 9, 9), mg.tensor([[1, 1, 5, 5]])
    for image, kind in ((np.zeros((3, 9, 9)), TypeError), (picture.long(), ValueError), (picture[None], ValueError),
                        (picture[:2], ValueError)):
        for draw in (lambda x: utils.draw_bounding_boxes(x, box), lambda x: utils.draw_keypoints(x, box[None]),
                     lambda x: utils.draw_segmentation_masks(x, mg.ones(9, 9, dtype=mg.bool))):
            with pytest.raises(kind, match="the image must be a tensor|the image dtype|pass one image"):
                draw(image)
    for wrong in (lambda: utils.draw_bounding_boxes(picture, box.flip(1)),
                  lambda: utils.draw_bounding_boxes(picture, box, ["a", "b"]),
                  lambda: utils.draw_bounding_boxes(picture, box, colors=[]),
                  lambda: utils.draw_bounding_boxes(picture, box, colors=(1, 2)),
                  lambda: utils.draw_segmentation_masks(picture, mg.ones(9, 9)), lambda: utils.draw_keypoints(picture, box),
                  lambda: utils.draw_keypoints(picture, box[None], visibility=mg.ones(2, 2))):
        with pytest.raises(ValueError):
            wrong()
    with pytest.warns(UserWarning, match="No box was drawn"):
        assert utils.draw_bounding_boxes(picture, box[:0]) is picture
    with pytest.warns(UserWarning, match="No mask was drawn"):
        assert utils.draw_segmentation_masks(picture, mg.ones(0, 9, 9, dtype=mg.bool)) is picture
    with pytest.warns(UserWarning, match="'font_size' will be ignored"):
        utils.draw_bounding_boxes(picture, box, font_size=9)


@pytest.mark.parity
@pytest.mark.parametrize("settings", GRIDS)
@pytest.mark.parametrize("shape", [(5, 3, 6, 7), (5, 1, 6, 7), (1, 3, 6, 7), (1, 1, 6, 7), (3, 6, 7), (1, 6, 7), (6, 7),
                                   (9, 2, 6, 7)])
def test_grids_are_torchvisions(shape: Any, settings: Any) -> None:
    theirs = torchvision_or_skip().utils
    a, x = both(rng.standard_normal(shape, dtype=np.float32))
    assert_same(theirs.make_grid(a, **settings), utils.make_grid(x, **settings), 1e-7)
    if shape[-3:] != (2, 6, 7):
        one, other = io.BytesIO(), io.BytesIO()
        theirs.save_image(a, one, format="png", **settings)
        utils.save_image(x, other, format="png", **settings)
        assert np.array_equal(pixels(one), pixels(other))


@pytest.mark.parity
@pytest.mark.parametrize("image", [*PICTURES, *(picture[:1] for picture in PICTURES)])
@pytest.mark.parametrize("settings", [
    {}, {"colors": "red"}, {"colors": ["red", (0, 255, 3), "#ff00ff"], "width": 3}, {"fill": True},
    {"labels": ["a", "bcd", None]},
    {"labels": ["a", "b", "c"], "fill_labels": True, "label_colors": "blue"},
    {"labels": ["a", "b", "c"], "fill_labels": True, "label_background_colors": ["red", "green", "blue"]}])
def test_boxes_are_drawn_as_torchvision_draws_them(image: Any, settings: Any) -> None:
    theirs = torchvision_or_skip().utils
    (a, x), (b, y) = both(image), both(np.array([[3, 4, 30, 40], [10, 10, 55, 50.7], [0, 0, 59, 59]], np.float32))
    assert_same(theirs.draw_bounding_boxes(a, b, **settings), utils.draw_bounding_boxes(x, y, **settings), 1e-7)


@pytest.mark.parity
@pytest.mark.parametrize("image", PICTURES)
def test_masks_and_points_are_drawn_as_torchvision_draws_them(image: Any) -> None:
    theirs = torchvision_or_skip().utils
    (a, x), (b, y) = both(image), both(rng.random((3, 60, 60)) > 0.7)
    for settings in ({}, {"alpha": 0.3, "colors": "red"}, {"colors": ["red", (0, 255, 3), "#ff00ff"]}):
        assert_same(theirs.draw_segmentation_masks(a, b, **settings), utils.draw_segmentation_masks(x, y, **settings), 1e-7)
        assert_same(theirs.draw_segmentation_masks(a, b[0], **settings), utils.draw_segmentation_masks(x, y[0], **settings), 1e-7)
    (b, y), (c, z) = both(rng.random((2, 4, 2), dtype=np.float32) * 59), both(rng.random((2, 4)) > 0.4)
    for settings in ({}, {"colors": "red", "radius": 4}, {"connectivity": [(0, 1), (1, 3)]}):
        assert_same(theirs.draw_keypoints(a, b, **settings), utils.draw_keypoints(x, y, **settings), 1e-7)
        assert_same(theirs.draw_keypoints(a, b, visibility=c, **settings),
                    utils.draw_keypoints(x, y, visibility=z, **settings), 1e-7)
