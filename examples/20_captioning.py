"""20. Captioning: a network looks at a scene of two shapes, and says in words what it sees and how they lie.

Teaches: an image as the first input of an LSTM, teacher forcing, words one by one, a test on pairs never shown.
Source: Vinyals, Toshev, Bengio and Erhan, Show and tell: a neural image caption generator (2014), https://arxiv.org/abs/1411.4555.
Result: 99.8% of the captions of new scenes with pairs of shapes that were never shown together are right in every word,
and 99.8% of those with pairs that were.
Time: 38 s on one core.
"""

import itertools

import numpy as np
from common import options, plt, progress, report

import minigrad as torch
from minigrad import nn, optim
from minigrad.nn import functional as F

COLOURS = {"red": (0.9, 0.2, 0.2), "green": (0.2, 0.75, 0.3), "blue": (0.25, 0.4, 0.95), "yellow": (0.95, 0.85, 0.2)}
SHAPES = ("circle", "square", "triangle", "cross")
PLACES = {"left of": (-1, 0), "above": (0, -1)}  # "right of" and "below" would say the same scenes a second way
KINDS = list(itertools.product(COLOURS, SHAPES))
WORDS = ["<end>", "a", "of", *COLOURS, *SHAPES, "left", "above"]
NUMBER = {word: k for k, word in enumerate(WORDS)}
SIDE = 32


def paint(image, rng, kind, centre):
    """Puts a shape of a colour, of some size, at `centre` into an image (3, SIDE, SIDE)."""
    colour, shape = kind
    y, x = np.mgrid[:SIDE, :SIDE] - np.array(centre)[:, None, None]
    size = rng.uniform(4, 6)
    inside = {"circle": x ** 2 + y ** 2 < size ** 2,
              "square": np.maximum(abs(x), abs(y)) < size * 0.9,
              "triangle": (abs(x) < (y + size) / 2) & (y < size),
              "cross": (np.minimum(abs(x), abs(y)) < size / 3) & (np.maximum(abs(x), abs(y)) < size)}[shape]
    image[:, inside] = np.array(COLOURS[colour])[:, None] * rng.uniform(0.8, 1)


def scenes(rng, count, pairs):
    """`count` images, and captions such as "a red circle above a blue cross", of pairs of kinds drawn from `pairs`."""
    images, captions = np.empty((count, 3, SIDE, SIDE), np.float32), []
    for image in images:
        first, second = pairs[rng.integers(len(pairs))]
        place, (dx, dy) = list(PLACES.items())[rng.integers(len(PLACES))]
        image[:] = rng.uniform(0, 0.25) + 0.05 * rng.standard_normal(image.shape)
        shift = rng.uniform(-3, 3, 2) * (abs(dx), abs(dy))[::-1]  # across the direction in which they lie
        middle = SIDE / 2 + rng.uniform(-1.5, 1.5, 2)
        apart = np.array((dy, dx)) * rng.uniform(7, 8.5)
        paint(image, rng, second, middle - apart - shift)
        paint(image, rng, first, middle + apart + shift)
        captions.append(f"a {first[0]} {first[1]} {place} a {second[0]} {second[1]}")
    return torch.from_numpy(images), captions


def numbered(captions):
    """Captions as numbers of words, (n, longest); what follows the end of a shorter one is -100, for which there is no loss."""
    rows = [[NUMBER[word] for word in caption.split()] + [NUMBER["<end>"]] for caption in captions]
    longest = max(map(len, rows))
    return torch.tensor([row + [-100] * (longest - len(row)) for row in rows])


class Captioner(nn.Module):
    """The image is what an LSTM hears first; then it hears each word, and says which comes next."""

    def __init__(self, width=64, hidden=128):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(32 * 16, width), nn.BatchNorm1d(width))
        self.embedding = nn.Embedding(len(WORDS), width)
        self.lstm = nn.LSTM(width, hidden, batch_first=True)
        self.out = nn.Linear(hidden, len(WORDS))

    def forward(self, images, words):
        """Scores (n, 1 + length, words) of the word that follows the image, and each of `words`, which are the true ones."""
        heard = torch.cat((self.encoder(images)[:, None], self.embedding(words)), dim=1)
        return self.out(self.lstm(heard)[0])

    @torch.no_grad()
    def say(self, images, longest=10):
        """Captions of images, each word the likeliest after those that it has said itself."""
        heard, state, said = self.encoder(images)[:, None], None, []
        for _ in range(longest):
            out, state = self.lstm(heard, state)
            said.append(self.out(out[:, 0]).argmax(dim=1))
            heard = self.embedding(said[-1])[:, None]
        rows = torch.stack(said, dim=1).tolist()
        return [" ".join(WORDS[k] for k in itertools.takewhile(bool, row)) for row in rows]


def share(said, captions):
    """How many captions are right, word for word."""
    return sum(a == b for a, b in zip(said, captions)) / len(captions)


def draw(images, said, captions, path):
    figure, axes = plt.subplots(2, 4, figsize=(10, 5.6))
    for axis, image, words, truth in zip(axes.flat, images, said, captions):
        axis.imshow(image.permute(1, 2, 0).clamp(0, 1).numpy())
        first, _, rest = words.partition(" a ")
        axis.set_title(f"{first}\na {rest}", color="black" if words == truth else "firebrick", fontsize=10)
        axis.set_axis_off()
    figure.suptitle("unseen pairs, and what the network says of them (wrong in red)", fontsize=10)
    figure.savefig(path)


def main():
    args = options(__doc__, steps=(1800, 300), lr=5e-3, batch=64, scenes=(12000, 2000))
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    pairs = [(a, b) for a, b in itertools.permutations(KINDS, 2)]
    rng.shuffle(pairs)
    pairs = [(tuple(a), tuple(b)) for a, b in pairs]
    unseen, seen = pairs[:len(pairs) // 5], pairs[len(pairs) // 5:]  # a fifth of all pairs is shown in the test only
    images, captions = scenes(rng, args.scenes, seen)
    words = numbered(captions)

    model = Captioner()
    optimizer = optim.Adam(model.parameters(), lr=args.lr)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=args.lr, total_steps=args.steps)
    for _ in (bar := progress(range(args.steps))):
        which = torch.randint(len(images), (args.batch,))
        targets = words[which]
        scores = model(images[which], targets[:, :-1].clamp(min=0))
        loss = F.cross_entropy(scores.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        bar.set_postfix(loss=f"{loss.item():.3f}")

    model.eval()
    (new, truth), (old, old_truth) = scenes(rng, 500, unseen), scenes(rng, 500, seen)
    said = model.say(new)
    draw(new, said, truth, args.out / "captions.png")
    figures = {"unseen": share(said, truth), "seen": share(model.say(old), old_truth), "loss": loss.item()}
    report(args, f"{figures['unseen']:.1%} of the captions of new scenes with pairs of shapes that were never shown together are "
                 f"right in every word, and {figures['seen']:.1%} of those with pairs that were.",
           picture="captions.png", **figures)


if __name__ == "__main__":
    main()
