"""18. A GPT reads Shakespeare's plays letter by letter, and then writes a scene of its own.

Teaches: causal self-attention, residual blocks, tied weights, warm-up and cosine schedule, AdamW with two groups, sampling.
Source: Vaswani et al. (2017), https://arxiv.org/abs/1706.03762; Radford et al. (2019), Language models are unsupervised multitask
learners; Press and Wolf (2017), https://arxiv.org/abs/1608.05859, for tied weights; the text is that of Karpathy's char-rnn.
Result: 1.559 nats a letter on the last tenth of the text, which it has not read; a table of pairs of letters has 2.482.
It has 813,440 weights, and read 6.1 million letters.
Time: 5 min on one core.
"""

import data
from common import options, plt, progress, report

import minigrad as torch
from minigrad import nn, optim
from minigrad.nn import functional as F


class Block(nn.Module):
    """Every letter looks at those before it, then thinks about what it saw; both are added to what was known."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width, bias=False), nn.GELU(), nn.Linear(4 * width, width, bias=False))

    def forward(self, x):
        n, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4).unbind()
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(n, length, width))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    """Takes letters (n, length), gives for each the scores of the letter that follows (n, length, letters)."""

    def __init__(self, letters, context, width, heads, layers):
        super().__init__()
        self.letter, self.place = nn.Embedding(letters, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, letters, bias=False)
        self.head.weight = self.letter.weight  # tied: what a letter means is also how it is recognized
        for name, weight in self.named_parameters():
            if weight.dim() == 2:  # what is added to the stream begins smaller, the more of it there is
                nn.init.normal_(weight, std=0.02 / (2 * layers) ** 0.5 if name.endswith(("out.weight", "mlp.2.weight")) else 0.02)

    def forward(self, text):
        return self.head(self.norm(self.blocks(self.letter(text) + self.place.weight[:text.shape[1]])))


def windows(text, starts, context):
    """Inputs and targets of `context` letters from each start; the targets are one letter further."""
    batch = text[starts.unsqueeze(1) + torch.arange(context + 1)]
    return batch[:, :-1], batch[:, 1:]


def mean_loss(model, inputs, targets):
    """Nats a letter."""
    return F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())


@torch.no_grad()
def evaluate(model, text, context, most=None):
    """Nats a letter on windows side by side, of which `most` are taken, spread over the whole text."""
    starts = torch.arange(0, len(text) - context, context)
    starts = starts[::max(1, len(starts) // most)] if most else starts
    losses = [(len(part), mean_loss(model, *windows(text, part, context)).item()) for part in starts.split(64)]
    return sum(n * loss for n, loss in losses) / len(starts)


def table_loss(text, held_out, letters):
    """Nats a letter of the plainest model there is: how often each letter follows each, counted."""
    counts = torch.bincount(text[:-1] * letters + text[1:], minlength=letters ** 2).view(letters, letters) + 1.0
    return F.nll_loss((counts / counts.sum(dim=1, keepdim=True)).log()[held_out[:-1]], held_out[1:]).item()


@torch.no_grad()
def write(model, text, length, context, temperature=0.8):
    """`text`, numbers of letters, and `length` letters more, one drawn after the other."""
    for _ in range(length):
        scores = model(text[None, -context:])[0, -1]
        text = torch.cat([text, torch.multinomial((scores / temperature).softmax(dim=0), 1)])
    return text


def draw(path, read, training, checked, table):
    """The losses over the letters read."""
    figure, axes = plt.subplots(figsize=(6, 3.6))
    axes.plot(read, training, linewidth=0.6, alpha=0.5, label="training, each batch")
    axes.plot(*zip(*checked), "o-", markersize=3, label="held-out text")
    axes.axhline(table, color="gray", linestyle="--", linewidth=1, label="held-out text, table of pairs")
    axes.set(xlabel="letters read in training, millions", ylabel="loss, nats a letter", ylim=(min(training) - 0.1, 3.5))
    axes.legend(frameon=False)
    figure.savefig(path)


def main():
    args = options(__doc__, steps=(3000, 100), batch=16, context=(128, 64), width=(128, 64), layers=(4, 2), heads=4,
                   lr=(3e-3, 5e-3))
    torch.manual_seed(args.seed)
    source = data.shakespeare(args)
    letters = sorted(set(source))
    text = torch.tensor([letters.index(c) for c in source])
    text, held_out = text.split([len(text) - len(text) // 10, len(text) // 10])  # the last tenth is for judging

    model = GPT(len(letters), args.context, args.width, args.heads, args.layers)
    matrices = [p for p in model.parameters() if p.dim() == 2]  # weights decay; the scales and shifts of norms do not
    others = [p for p in model.parameters() if p.dim() != 2]
    optimizer = optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}], lr=args.lr,
                            betas=(0.9, 0.99))
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, args.lr, total_steps=args.steps, pct_start=0.1, cycle_momentum=False)
    read, training, checked = [], [], []
    steps = progress(range(1, args.steps + 1), "training")
    for step in steps:
        starts = torch.randint(0, len(text) - args.context, (args.batch,))
        loss = mean_loss(model, *windows(text, starts, args.context))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        read.append(step * args.batch * args.context / 1e6)
        training.append(loss.item())
        if step % max(1, args.steps // 15) == 0:
            checked.append((read[-1], evaluate(model, held_out, args.context, most=100)))
            steps.set_postfix(loss=f"{training[-1]:.3f}", held_out=f"{checked[-1][1]:.3f}")

    table, final = table_loss(text, held_out, len(letters)), evaluate(model, held_out, args.context)
    print("".join(letters[k] for k in write(model, held_out[:args.context], 500, args.context)[args.context:].tolist()), "\n")
    draw(args.out / "loss.png", read, training, checked, table)
    size = sum(p.numel() for p in model.parameters())
    report(args, f"{final:.3f} nats a letter on the last tenth of the text, which it has not read; a table of pairs of letters "
                 f"has {table:.3f}. It has {size:,} weights, and read {read[-1]:.1f} million letters.",
           picture="loss.png", nats=final, table=table, training=sum(training[-50:]) / len(training[-50:]))


if __name__ == "__main__":
    main()
