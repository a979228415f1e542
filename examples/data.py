"""The data of the course, as NumPy arrays and text; where ``--quick`` finds none, something small that is shipped or made up."""

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


def shakespeare(args):
    """Shakespeare's plays, a million letters. Instead: the source of minigrad's optimizers."""
    def instead():
        from pathlib import Path

        from minigrad import optim
        return "".join(file.read_text(encoding="utf-8") for file in sorted(Path(optim.__file__).parent.glob("ada*.py")))

    return read(args, "Shakespeare", datasets.shakespeare, instead=instead, what="the source of minigrad's optimizers")
