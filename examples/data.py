"""The data of the course, as NumPy arrays and text; where ``--quick`` finds none, something small that is shipped or made up."""

from pathlib import Path

import numpy as np

from minigrad import datasets


def read(args, title, reader, *reader_args, instead, what):
    """What `reader` gives for the folder ``--data``; with ``--quick`` and without files, what `instead` makes, `what`."""
    try:
        return reader(args.data, *reader_args, download=not args.quick)
    except FileNotFoundError as error:
        if not args.quick:
            raise SystemExit(f"{title}: {error}") from None
        print(f"{title} is not in {args.data}: --quick takes {what}")
        return instead()


def digits():
    """The digits that minigrad ships: images (1797, 1, 8, 8) from 0 to 1, float32, and labels (1797,), int64."""
    images, labels = datasets.digits()
    return images.numpy(), labels.numpy()


def mnist(args):
    """MNIST's 10,000 images for tests, (10000, 28, 28), uint8, and labels, int64. Instead: the digits shipped, enlarged."""
    def reader(root, download):
        from minigrad.vision.datasets import MNIST
        from minigrad.vision.datasets.mnist import read_image_file, read_label_file
        lying = datasets.published.search("t10k-images-idx3-ubyte.gz", root)
        if lying:
            return read_image_file(lying).numpy(), read_label_file(lying.with_name("t10k-labels-idx1-ubyte.gz")).numpy()
        try:
            found = MNIST(root, train=False, download=download)
        except RuntimeError as error:
            raise FileNotFoundError(error) from None
        return found.data.numpy(), found.targets.numpy()

    def instead():
        images, labels = digits()
        enlarged = (images[:, 0] * 255).astype(np.uint8).repeat(3, 1).repeat(3, 2)
        return np.pad(enlarged, ((0, 0), (2, 2), (2, 2))), labels

    return read(args, "MNIST", reader, instead=instead, what="the 8x8 digits shipped with minigrad, enlarged")


def shakespeare(args):
    """Shakespeare's plays, a million letters. Instead: the source of minigrad's optimizers."""
    def instead():
        from minigrad import optim
        return "".join(file.read_text(encoding="utf-8") for file in sorted(Path(optim.__file__).parent.glob("ada*.py")))

    return read(args, "Shakespeare", datasets.shakespeare, instead=instead, what="the source of minigrad's optimizers")


def shapes(count, seed, side=64):
    """Made-up scenes of circles, squares and triangles among lines: pictures with what is where in them.

    Gives images (count, 3, side, side), float32 from 0 to 1; masks (count, side, side), int64, of each pixel's kind, 0 where
    there is nothing; and for each image an array (objects, 5), float32, of boxes ``x1, y1, x2, y2`` in pixels and the kind.
    """
    rng = np.random.default_rng(seed)
    scenes = [scene(rng, side) for _ in range(count)]
    images, masks, boxes = zip(*scenes)
    return np.stack(images), np.stack(masks), list(boxes)


def scene(rng, side):
    """One picture of :func:`shapes`: a background that changes slowly, lines, one to four things, and noise."""
    y, x = np.mgrid[:side, :side] + 0.5
    image = rng.uniform(0, 0.4, (3, 1, 1)) + rng.uniform(-0.2, 0.2, (3, 1, 1)) * (x + y - side) / side
    mask, boxes, places = np.zeros((side, side), np.int64), [], []
    for _ in range(rng.integers(1, 4)):  # lines are there to be mistaken for edges
        angle, where = rng.uniform(0, np.pi), rng.uniform(0.2, 0.8, 2) * side
        image[:, np.abs((x - where[0]) * np.sin(angle) - (y - where[1]) * np.cos(angle)) < rng.uniform(0.7, 1.6)] = \
            rng.uniform(0, 0.8, (3, 1))
    for _ in range(rng.integers(1, 5)):
        size, kind, turn = rng.uniform(0.12, 0.22) * side, rng.integers(1, 4), rng.uniform(-0.2, 0.2)
        place = rng.uniform(size, side - size, 2)
        if any(np.hypot(*(place - other)) < 0.9 * (size + reach) for other, reach in places):
            continue
        right, down = x - place[0], y - place[1]
        # A circle is all that is near the middle; the others lie on the inner side of each of their edges.
        edges = {2: 4, 3: 3}.get(kind, 0)
        normals = turn + np.pi / 2 + 2 * np.pi * np.arange(edges) / max(edges, 1)  # the first is its base
        inside = np.hypot(right, down) < size if not edges else np.all(
            [right * np.cos(a) + down * np.sin(a) < size * np.cos(np.pi / edges) for a in normals], axis=0)
        image[:, inside], mask[inside] = rng.uniform(0.3, 1, (3, 1)), kind
        places.append((place, size))
        rows, columns = np.nonzero(inside.any(1))[0], np.nonzero(inside.any(0))[0]
        boxes.append([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1, kind])
    image += rng.normal(0, 0.05, image.shape)
    return image.clip(0, 1).astype(np.float32), mask, np.array(boxes, np.float32)


def photo(args, name, side):
    """The middle of a picture, (3, side, side), float32 from 0 to 1: of the file `name`, or of the published "amber", "candy" or
    "mosaic". Instead: a made-up scene."""
    def reader(root, download):
        from PIL import Image, ImageOps
        with Image.open(name if Path(name).suffix else datasets.photo(name, root, download)) as image:
            return np.float32(ImageOps.fit(image.convert("RGB"), (side, side))).transpose(2, 0, 1) / 255

    return read(args, name, reader, instead=lambda: shapes(1, ord(name[0]), side)[0][0], what="a made-up scene")
