"""18. Three models learn to spell first names: a table of pairs, a network that sees three letters, and one that remembers.

Teaches: language models, counting as the baseline, embeddings, nn.LSTM, padded batches, perplexity, sampling letter by letter.
Source: Shannon (1948), https://doi.org/10.1002/j.1538-7305.1948.tb01338.x, for the table; Bengio et al. (2003), A neural
probabilistic language model; Hochreiter and Schmidhuber (1997), https://doi.org/10.1162/neco.1997.9.8.1735; the task is that of
Karpathy's makemore.
Result: On 3,203 names held out, 1.955 nats a letter by LSTM, 2.107 from the last three letters, 2.456 by a table of
pairs, and 3.296 by chance.
Time: 49 s on one core.
"""

import re
from pathlib import Path

import data
import numpy as np
from common import options, plt, progress, report

import minigrad as torch
from minigrad import nn, optim
from minigrad.nn import functional as F
from minigrad.nn.utils.rnn import pad_sequence

LETTERS = ".abcdefghijklmnopqrstuvwxyz"  # the dot begins and ends a name
IGNORED = -100  # as a target: no loss where a name has ended


def read_names(args):
    """`args.names` names at random, as tensors of letters with a dot before and after."""
    def instead():
        files = sorted(Path(data.datasets.__file__).parent.parent.glob("nn/**/*.py"))
        found = re.findall(r"\b[a-z]{3,12}\b", " ".join(file.read_text(encoding="utf-8") for file in files))
        return sorted(set(found))

    names = data.read(args, "names.txt", data.datasets.names, instead=instead, what="words in the source of minigrad.nn")
    return [torch.tensor([LETTERS.index(c) for c in f".{names[k]}."]) for k in torch.randperm(len(names))[:args.names].tolist()]


def pad(names):
    """Letters and those that follow them, (n, longest) each."""
    return (pad_sequence([name[:-1] for name in names], batch_first=True),
            pad_sequence([name[1:] for name in names], batch_first=True, padding_value=IGNORED))


class Table(nn.Module):
    """How often each letter follows each, counted: (n, length) letters in, the logarithms of those shares out."""

    def __init__(self, names):
        super().__init__()
        counts = torch.ones(len(LETTERS), len(LETTERS))  # one of each, so that nothing is impossible
        for name in names:
            counts.index_put_((name[:-1], name[1:]), torch.ones(len(name) - 1), accumulate=True)
        self.register_buffer("shares", counts / counts.sum(dim=1, keepdim=True))

    def forward(self, letters):
        return self.shares.log()[letters]


class Window(nn.Module):
    """Sees the last three letters: their embeddings side by side go through one hidden layer."""

    def __init__(self, seen=3, embedded=16, hidden=128):
        super().__init__()
        self.seen = seen
        self.embedding = nn.Embedding(len(LETTERS), embedded)
        self.hidden, self.out = nn.Linear(seen * embedded, hidden), nn.Linear(hidden, len(LETTERS))

    def forward(self, letters):
        x = self.embedding(F.pad(letters, (self.seen - 1, 0)))  # before a name there are dots, and the dot's number is 0
        side_by_side = torch.cat([x[:, k:k + letters.shape[1]] for k in range(self.seen)], dim=2)
        return self.out(self.hidden(side_by_side).tanh())


class Recurrent(nn.Module):
    """Remembers: what an LSTM or a GRU keeps from letter to letter may go back to the beginning."""

    def __init__(self, cell, embedded=16, hidden=128):
        super().__init__()
        self.embedding = nn.Embedding(len(LETTERS), embedded)
        self.rnn = {"lstm": nn.LSTM, "gru": nn.GRU}[cell](embedded, hidden, batch_first=True)
        self.out = nn.Linear(hidden, len(LETTERS))

    def forward(self, letters):
        return self.out(self.rnn(self.embedding(letters))[0])


def mean_loss(model, names):
    """Nats a letter, the dot at the end being one."""
    letters, following = pad(names)
    return F.cross_entropy(model(letters).transpose(1, 2), following, ignore_index=IGNORED)


def train(model, names, held_out, args, title):
    """Loss on the names held out after each epoch."""
    optimizer = optim.Adam(model.parameters(), lr=args.lr)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, args.epochs)
    losses = []
    epochs = progress(range(args.epochs), title)
    for _ in epochs:
        for chosen in torch.randperm(len(names)).split(args.batch):
            loss = mean_loss(model, [names[k] for k in chosen.tolist()])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        schedule.step()
        with torch.no_grad():
            losses.append(mean_loss(model, held_out).item())
        epochs.set_postfix(held_out=f"{losses[-1]:.3f}")
    return losses


@torch.no_grad()
def invent(model, many, longest=12):
    """Names: one letter drawn after the other, each fed back in, all names at once."""
    letters = torch.zeros(many, 1, dtype=torch.long)
    for _ in range(longest):
        following = torch.multinomial(model(letters)[:, -1].softmax(dim=1), 1)
        letters = torch.cat([letters, following], dim=1)
    return ["".join(LETTERS[k] for k in row[1:]).partition(".")[0] for row in letters.tolist()]


def draw(path, table, losses):
    """The table of pairs, and the losses over the epochs."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.6, 3.5), width_ratios=(1.75, 1))
    image = left.imshow(100 * table.shares.numpy(), cmap="Blues")
    left.set_xticks(range(len(LETTERS)), LETTERS, fontsize=7)
    left.set_yticks(range(len(LETTERS)), LETTERS, fontsize=7)
    left.set(xlabel="following letter", ylabel="letter")
    figure.colorbar(image, ax=left, label="% of the time", shrink=0.8)
    for name, values in losses.items():
        if len(values) == 1:
            right.axhline(values[0], color="gray", linestyle="--", label=name)
        else:
            right.plot(range(1, len(values) + 1), values, "o-", markersize=3, label=name)
    right.set(xlabel="epoch", ylabel="loss on names held out, nats a letter")
    right.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    right.legend(frameon=False, loc="upper right", bbox_to_anchor=(1, 0.93))
    figure.savefig(path)


def main():
    args = options(__doc__, names=(32_033, 1_500), epochs=(10, 8), batch=(64, 32), lr=4e-3, cell=["lstm", "gru"])
    torch.manual_seed(args.seed)
    names = read_names(args)
    held_out, names = names[:len(names) // 10], names[len(names) // 10:]

    table, window, recurrent = Table(names), Window(), Recurrent(args.cell)
    losses = {"table of pairs": [mean_loss(table, held_out).item()],
              "three letters": train(window, names, held_out, args, "three letters"),
              args.cell.upper(): train(recurrent, names, held_out, args, args.cell.upper())}
    known = {"".join(LETTERS[k] for k in name[1:-1].tolist()) for name in names + held_out}
    for title, model in zip(losses, (table, window, recurrent)):
        new, nats = [name for name in invent(model, 60) if name and name not in known], losses[title][-1]
        print(f"{title:15} {nats:.3f} nats, as if one of {np.exp(nats):.1f} letters; invents", *new[:10])

    draw(args.out / "letters.png", table, losses)
    pairs, three, remembered = (values[-1] for values in losses.values())
    report(args, f"On {len(held_out):,} names held out, {remembered:.3f} nats a letter by {args.cell.upper()}, {three:.3f} from "
                 f"the last three letters, {pairs:.3f} by a table of pairs, and {np.log(len(LETTERS)):.3f} by chance.",
           picture="letters.png", table=pairs, window=three, recurrent=remembered)


if __name__ == "__main__":
    main()
