"""12. A GPT reads the source of the optimizers that train it, letter by letter, and then writes some of its own."""

import argparse
import pathlib

import minigrad as torch
from minigrad import nn, optim
from minigrad.nn import functional as F

CONTEXT = 64  # how many letters it sees


class Block(nn.Module):
    """Every letter looks at those before it, then thinks about what it saw; both are added to what was known."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        n, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4).unbind()
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(n, length, width))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    """Takes letters, gives for each the scores of the letter that follows."""

    def __init__(self, letters, width=96, heads=4, layers=2):
        super().__init__()
        self.letter, self.place = nn.Embedding(letters, width), nn.Embedding(CONTEXT, width)
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, letters)

    def forward(self, text):
        return self.head(self.norm(self.blocks(self.letter(text) + self.place.weight[:text.shape[1]])))


@torch.no_grad()
def write(model, text, length, temperature=0.6):
    """`text`, numbers of letters, and `length` letters more, one drawn after the other."""
    for _ in range(length):
        scores = model(text[None, -CONTEXT:])[0, -1]
        text = torch.cat([text, torch.multinomial((scores / temperature).softmax(dim=0), 1)])
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=800)
    args = parser.parse_args()

    torch.manual_seed(0)
    source = "".join(file.read_text(encoding="utf-8") for file in sorted(pathlib.Path(optim.__file__).parent.glob("ada*.py")))
    letters = sorted(set(source))
    text = torch.tensor([letters.index(c) for c in source])
    print(f"{len(text)} letters, {len(letters)} different ones")

    model = GPT(len(letters))
    optimizer = optim.AdamW(model.parameters(), lr=3e-3)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=args.steps + 1)
    for step in range(args.steps + 1):
        start = torch.randint(0, len(text) - CONTEXT, (16, 1))
        batch = text[start + torch.arange(CONTEXT + 1)]
        scores = model(batch[:, :-1])
        loss = F.cross_entropy(scores.flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 0 or step == args.steps:
            print(f"step {step:3}  loss {loss.item():.4f}  (one of {loss.exp().item():.1f} letters)")

    begin = torch.tensor([letters.index(c) for c in "def update("])
    print("\n" + "".join(letters[k] for k in write(model, begin, 300).tolist()))


if __name__ == "__main__":
    main()
