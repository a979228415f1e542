"""Published data that the books on deep learning use: found where they lie or fetched with a checksum, read as NumPy and text.

Nothing here is a tensor, so that what is read serves any library.
"""

from __future__ import annotations

import csv
import http.client
import os
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minigrad.datasets.downloads import download_url
from minigrad.errors import InvalidValueError, MissingFileError, RuntimeValueError

__all__ = ["FILES", "bike_sharing", "chinese_reviews", "fetch", "names", "photo", "sequence_pairs", "shakespeare", "wikitext2"]


class Published(NamedTuple):
    """Where a file is published, its MD5 (None where only what it contains can be checked), and what it is."""

    address: str
    md5: str | None
    about: str


RAW = "https://raw.githubusercontent.com/"
BOOK = RAW + "oreilly-japan/deep-learning-from-scratch-2/master/dataset/"
STYLE = RAW + "pytorch/examples/main/fast_neural_style/images/"
WIKITEXT = RAW + "pytorch/examples/main/word_language_model/data/wikitext-2/"

FILES = {
    "Bike-Sharing-Dataset.zip": Published(
        "https://archive.ics.uci.edu/static/public/275/bike+sharing+dataset.zip", None,
        "bicycles hired in Washington, hour by hour (Fanaee-T and Gama, 2013, https://doi.org/10.24432/C5W894, CC BY 4.0)"),
    "waimai_10k.csv": Published(
        RAW + "SophonPlus/ChineseNlpCorpus/master/datasets/waimai_10k/waimai_10k.csv", "a467a9f349a2c956d195e71211fa5f05",
        "reviews of meals delivered, in Chinese (ChineseNlpCorpus)"),
    "names.txt": Published(
        RAW + "karpathy/makemore/master/names.txt", "401b3c4cac9e28a586ed15e81256680d",
        "first names, from the counts of the Social Security Administration of the United States for 2018"),
    "tinyshakespeare.txt": Published(
        RAW + "karpathy/char-rnn/master/data/tinyshakespeare/input.txt", "6fb458f1232090904fb40fe944165e91",
        "a million letters of Shakespeare's plays"),
    "wikitext2-valid.txt": Published(WIKITEXT + "valid.txt", "d756d22ab2310e7e60c094bea5c5a8eb",
                                     "articles of Wikipedia (WikiText-2, Merity et al., 2016, CC BY-SA 3.0)"),
    "wikitext2-test.txt": Published(WIKITEXT + "test.txt", "781c9418ab9414bd09e4aad825aae752",
                                    "articles of Wikipedia (WikiText-2, Merity et al., 2016, CC BY-SA 3.0)"),
    "date.txt": Published(BOOK + "date.txt", "831a4a9fd17c969a1419bb4b86253987",
                          "50,000 dates as people write them, and as ISO 8601"),
    "addition.txt": Published(BOOK + "addition.txt", "0be232e09ddbc99aa7c7f54b5081dbc0", "50,000 additions, and their sums"),
    "amber.jpg": Published(STYLE + "content-images/amber.jpg", "f12823165ccd4bf7a34162f52b1ecf09", "a photograph of a door"),
    "candy.jpg": Published(STYLE + "style-images/candy.jpg", "00a0e3aa9775546f98abf6417e3cb478", "a painting in bright colours"),
    "mosaic.jpg": Published(STYLE + "style-images/mosaic.jpg", "67b11e9cb1a69df08d70d9c2c7778fba", "a mosaic"),
}


def fetch(name: str, root: str | os.PathLike[str] = "data", download: bool = True) -> Path:
    """The path of a published file: that of this name in the folder `root` or below it, else fetched into `root`.

    A progress bar is shown on terminals where tqdm is installed, and an interrupted try goes on from where it stopped.

    Args:
        name: one of ``minigrad.datasets.FILES``.
        root: the folder that is searched, with all below it.
        download: fetch what is not there.

    Raises ``FileNotFoundError`` where it is not there and cannot or must not be fetched: it says where the file is published.
    Raises ``RuntimeError`` where what was sent has another checksum, ``ValueError`` for a name that is not known.

    >>> fetch("names.txt", "empty", download=False)
    Traceback (most recent call last):
      ...
    minigrad.errors.MissingFileError: names.txt is not in empty or below it. It is published at \
https://raw.githubusercontent.com/karpathy/makemore/master/names.txt: fetch it, and put it there
    """
    if name not in FILES:
        raise InvalidValueError(f"fetch: expected one of {', '.join(FILES)}, got {name!r}")
    if found := search(name, root):
        return found
    published = FILES[name]
    where = f"{name} is not in {os.fspath(root)} or below it. It is published at {published.address}"
    if not download:
        raise MissingFileError(f"{where}: fetch it, and put it there")
    try:
        download_url(published.address, root, name, published.md5)
    except (OSError, http.client.HTTPException) as error:
        raise MissingFileError(f"{where}, which cannot be reached from here ({error}): fetch it elsewhere, and put it "
                               "there") from error
    return Path(root) / name


def search(name: str, root: str | os.PathLike[str]) -> Path | None:
    """The first file of this name in `root` or below it."""
    return next((p for p in sorted(Path(os.path.expanduser(root)).rglob(name)) if p.is_file()), None)


# ---------------------------------------------------------------------------------------------------- tables

BIKE_HOURS, BIKE_HIRED = 17_379, 3_292_679  # as the description of the data says; their sum checks what was read


def bike_sharing(root: str | os.PathLike[str] = "data", download: bool = True) -> dict[str, np.ndarray[Any, Any]]:
    """Bicycles hired in Washington in each hour of 2011 and 2012, with weather and calendar.

    Returns columns by name, each of shape ``(17379,)``: ``cnt`` is how many were hired, ``season`` (1 to 4), ``yr``, ``mnth``,
    ``hr``, ``holiday``, ``weekday`` (0 is Sunday), ``workingday``, ``weathersit`` (1 fair to 4 storm) are whole numbers,
    ``temp``, ``atemp``, ``hum``, ``windspeed`` are shares of their highest value, and ``dteday`` is the day as ``datetime64[D]``.

    Source: Fanaee-T and Gama (2013), https://doi.org/10.24432/C5W894, CC BY 4.0. Raises as :func:`fetch` does, and
    ``RuntimeError`` for a table that is not this one.
    """
    lines = read_bike_lines(root, download)
    head, *rows = csv.reader(lines)
    table: dict[str, np.ndarray[Any, Any]] = {}
    for title, values in zip(head, zip(*rows)):
        if title == "dteday":
            table[title] = np.array([read_day(day) for day in values], dtype="datetime64[D]")
        else:
            numbers = np.array(values, dtype=np.float64)
            table[title] = numbers if title in ("temp", "atemp", "hum", "windspeed") else numbers.astype(np.int64)
    if len(rows) != BIKE_HOURS or table["cnt"].sum() != BIKE_HIRED:
        raise RuntimeValueError(f"bike_sharing: expected {BIKE_HOURS} hours in which {BIKE_HIRED} bicycles were hired, found "
                                f"{len(rows)} and {table['cnt'].sum()}")
    return table


def read_bike_lines(root: str | os.PathLike[str], download: bool) -> list[str]:
    """The lines of hour.csv: the file itself where it lies in `root`, else from the archive in which it is published."""
    if unpacked := search("hour.csv", root):
        return unpacked.read_text(encoding="ascii").splitlines()
    with zipfile.ZipFile(fetch("Bike-Sharing-Dataset.zip", root, download)) as archive:
        return archive.read("hour.csv").decode("ascii").splitlines()


def read_day(text: str) -> str:
    """A day as ISO 8601, from that or from month/day/year, in which some copies of the table have it."""
    if "/" not in text:
        return text
    month, day, year = text.split("/")
    return f"{year}-{int(month):02}-{int(day):02}"


# ---------------------------------------------------------------------------------------------------- texts

def chinese_reviews(root: str | os.PathLike[str] = "data", download: bool = True) -> tuple[list[str], np.ndarray[Any, Any]]:
    """Reviews of meals delivered, in Chinese: 11,987 texts, and labels ``int64`` of as many, 1 for praise.

    Source: https://github.com/SophonPlus/ChineseNlpCorpus. Raises as :func:`fetch` does.
    """
    with open(fetch("waimai_10k.csv", root, download), encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    return [text for _, text in rows], np.array([int(label) for label, _ in rows], dtype=np.int64)


def shakespeare(root: str | os.PathLike[str] = "data", download: bool = True) -> str:
    """1,115,394 letters of Shakespeare's plays.

    Source: https://github.com/karpathy/char-rnn. Raises as :func:`fetch` does.
    """
    return fetch("tinyshakespeare.txt", root, download).read_text(encoding="utf-8")


def names(root: str | os.PathLike[str] = "data", download: bool = True) -> list[str]:
    """32,033 first names in small letters, the most frequent first.

    Source: https://github.com/karpathy/makemore. Raises as :func:`fetch` does.
    """
    return fetch("names.txt", root, download).read_text(encoding="ascii").split()


def wikitext2(root: str | os.PathLike[str] = "data", split: str = "valid", download: bool = True) -> str:
    """Articles of Wikipedia, as words and signs with spaces between them; rare words are ``<unk>``.

    Args:
        split: ``"valid"`` or ``"test"``, each of about 200,000 words.

    Source: Merity, Xiong, Bradbury and Socher (2016), https://arxiv.org/abs/1609.07843, CC BY-SA 3.0. Raises as
    :func:`fetch` does, and ``ValueError`` for another `split`.
    """
    if split not in ("valid", "test"):
        raise InvalidValueError(f'wikitext2: split must be "valid" or "test", got {split!r}')
    return fetch(f"wikitext2-{split}.txt", root, download).read_text(encoding="utf-8")


def sequence_pairs(kind: str, root: str | os.PathLike[str] = "data", download: bool = True) -> list[tuple[str, str]]:
    """50,000 pairs of a question and its answer: ``("september 27, 1994", "1994-09-27")`` or ``("16+75", "91")``.

    Args:
        kind: ``"date"`` or ``"addition"``.

    Source: https://github.com/oreilly-japan/deep-learning-from-scratch-2, MIT. Raises as :func:`fetch` does, and
    ``ValueError`` for another `kind`.
    """
    if kind not in ("date", "addition"):
        raise InvalidValueError(f'sequence_pairs: kind must be "date" or "addition", got {kind!r}')
    lines = fetch(f"{kind}.txt", root, download).read_text(encoding="ascii").splitlines()
    return [(question.strip(), answer.strip()) for question, answer in (line.split("_") for line in lines)]


# ---------------------------------------------------------------------------------------------------- pictures

def photo(name: str, root: str | os.PathLike[str] = "data", download: bool = True) -> Path:
    """The path of a JPEG file for style transfer: ``"amber"``, a photograph, or ``"candy"`` and ``"mosaic"``, paintings.

    Source: https://github.com/pytorch/examples, BSD 3-Clause. Raises as :func:`fetch` does, and ``ValueError`` for
    another `name`.
    """
    if name not in ("amber", "candy", "mosaic"):
        raise InvalidValueError(f'photo: name must be "amber", "candy" or "mosaic", got {name!r}')
    return fetch(f"{name}.jpg", root, download)
