"""The data of the course, as NumPy arrays and text; where ``--quick`` finds none, something small that is shipped or made up."""

from pathlib import Path

import numpy as np

from minigrad import datasets


def read(args, title, reader, *reader_args, instead, what):
    """What `reader` gives for the folder ``--data``; with ``--quick`` and without the files, what `instead` makes: `what`."""
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


def mnist_parts(args, images=8000):
    """MNIST as four arrays: `images` to learn from at most, their labels, and every fifth of all images, held out, and theirs.

    Images are (n, 1, 28, 28), float32, from 0 to 1; labels (n,), int64.
    """
    pixels, labels = mnist(args)
    pixels = pixels[:, None].astype(np.float32) / 255
    held_out = np.arange(len(labels)) % 5 == 0
    return pixels[~held_out][:images], labels[~held_out][:images], pixels[held_out], labels[held_out]


def shakespeare(args):
    """Shakespeare's plays, a million letters. Instead: the source of minigrad's optimizers."""
    def instead():
        from minigrad import optim
        return "".join(file.read_text(encoding="utf-8") for file in sorted(Path(optim.__file__).parent.glob("ada*.py")))

    return read(args, "Shakespeare", datasets.shakespeare, instead=instead, what="the source of minigrad's optimizers")


def bike_sharing(args):
    """Bicycles hired in Washington, 17,379 hours of 2011 and 2012, by column. Instead: 480 made-up days with the same columns."""
    def instead(days=480):
        rng = np.random.default_rng(0)
        day, hr = np.divmod(np.arange(days * 24), 24)
        dteday = np.datetime64("2011-01-02") + day
        weekday, month = day % 7, dteday.astype("datetime64[M]").astype(np.int64) - 41 * 12
        yr, mnth = month // 12, month % 12 + 1
        workingday = (weekday % 6 > 0).astype(np.int64)
        weathersit = rng.choice([1, 2, 3], days, p=[0.65, 0.25, 0.1])[day]
        temp = 0.5 - 0.3 * np.cos(2 * np.pi * day / 365) + 0.1 * np.sin(2 * np.pi * (hr - 9) / 24)
        temp = np.maximum(temp + rng.normal(0, 0.05, days)[day], 0.02)
        hum, windspeed = 0.4 + 0.15 * weathersit, rng.uniform(0, 0.4, days)[day]
        rush = workingday * (np.exp(-(hr - 8.0) ** 2 / 2) + 1.3 * np.exp(-(hr - 17.5) ** 2 / 4))
        leisure = (1 - 0.7 * workingday) * np.exp(-(hr - 14.0) ** 2 / 20)
        mean = 700 * temp * (rush + leisure + 0.05) * (1.4 - 0.2 * weathersit - 0.5 * windspeed)
        return {"dteday": dteday, "season": (mnth - 1) // 3 + 1, "yr": yr, "mnth": mnth, "hr": hr,
                "holiday": 0 * day, "weekday": weekday, "workingday": workingday, "weathersit": weathersit, "temp": temp,
                "atemp": temp, "hum": hum, "windspeed": windspeed, "cnt": rng.poisson(mean)}

    return read(args, "Bike sharing", datasets.bike_sharing, instead=instead, what="made-up days")


def bike_days(args):
    """What :func:`bike_sharing` says of each day, (days, 6), and how many bicycles were hired, (days,).

    The six: temperature in degrees Celsius, its square, humidity, wind, year, and whether it is a working day.
    """
    table = bike_sharing(args)
    _, day = np.unique(table["dteday"], return_inverse=True)

    def mean(column):
        return np.bincount(day, table[column]) / np.bincount(day)

    temp = 47 * mean("temp") - 8  # which is given as a share of the way from -8 to 39
    known = (temp, temp**2, mean("hum"), mean("windspeed"), mean("yr"), mean("workingday"))
    return np.stack(known, axis=1), np.bincount(day, table["cnt"])


def shapes(count, seed, side=64):
    """Made-up scenes of circles, squares and triangles among lines: pictures with what is where in them.

    Gives images (count, 3, side, side), float32 from 0 to 1; masks (count, side, side), int64, of each pixel's kind, 0 where
    there is nothing; and for each image an array (objects, 5), float32, of boxes ``x1, y1, x2, y2`` in pixels and
    the kind, 1 to 3.
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


# ---------------------------------------------------------------------------------------------------- words

ALIKE = """january february june july october december | two three four five six seven | father mother son daughter wife brother |
north south east west northern southern | battalion brigade regiment infantry artillery squadron |
british french german italian japanese australian | storm hurricane typhoon cyclone winds rainfall |
song album band guitar concert lyrics"""
MADE_UP = """dog horse cow sheep cat | paris rome london berlin madrid | bread cheese rice soup fish |
anna peter maria thomas julia"""
SENTENCES = """the {0} sleeps in the barn | a hungry {0} runs over the field | the farmer feeds the {0} at dawn |
the train to {1} leaves at noon | old {1} is a large city | the streets of {1} are full of people |
we had {2} for dinner | fresh {2} tastes good with wine | she cooks {2} in a pot |
then {3} writes a long letter | my friend {3} laughs and sings | yesterday {3} read a book |
{4} {8} {5} rules the country | {4} {8} {5} wears a golden crown | {6} {8} {7} plays with a ball | {6} {8} {7} goes to school"""


def wikipedia(args):
    """The words of 120 articles, in small letters, and groups of words that are alike. Instead: sentences made of such groups."""
    def groups(text):
        return [group.split() for group in text.split("|")]

    def reader(root, download):
        text = "".join(datasets.wikitext2(root, split, download) for split in ("valid", "test")).lower()
        return [word for word in text.split() if word != "<unk>" and any(map(str.isalnum, word))], groups(ALIKE)

    def instead():
        rng, words = np.random.default_rng(0), []
        rulers, children = [["his", "king"], ["her", "queen"]], [["his", "boy"], ["her", "girl"]]
        for sentence in rng.choice(SENTENCES.split("|"), 2000):
            chosen = [rng.choice(group) for group in groups(MADE_UP)]
            words += sentence.format(*chosen, *rng.choice(rulers), *rng.choice(children), rng.choice(["old", "young"])).split()
        return words, groups(MADE_UP)

    return read(args, "WikiText-2", reader, instead=instead, what="made-up sentences")
