"""7. Word vectors by skip-gram with negative sampling: words found in the same company come to lie side by side."""

import argparse
import random

import minigrad as torch
from minigrad import nn, optim
from minigrad.nn import functional as F

GROUPS = {
    "animal": ["cat", "dog", "horse", "cow", "sheep"],
    "city": ["paris", "rome", "london", "berlin", "madrid"],
    "food": ["bread", "cheese", "rice", "soup", "fish"],
    "person": ["anna", "peter", "maria", "thomas", "julia"],
}
SENTENCES = """the {animal} sleeps in the barn | a hungry {animal} runs over the field | the farmer feeds the {animal} at dawn
the train to {city} leaves at noon | {city} is a large old city | the streets of {city} are full of people
we had {food} for dinner | fresh {food} tastes good with wine | she cooks {food} in a pot
{person} writes a long letter | my friend {person} laughs and sings | yesterday {person} read a book"""


def text(length):
    """`length` sentences, each with a word of its group: the groups themselves are never told."""
    templates = [t.strip() for line in SENTENCES.splitlines() for t in line.split("|")]
    for _ in range(length):
        yield random.choice(templates).format(**{group: random.choice(words) for group, words in GROUPS.items()}).split()


class SkipGram(nn.Module):
    """Two vectors for each word, as centre and as neighbour; their product says how well they go together."""

    def __init__(self, words, size):
        super().__init__()
        self.centre, self.neighbour = nn.Embedding(words, size), nn.Embedding(words, size)

    def forward(self, centre, neighbours):
        return (self.centre(centre).unsqueeze(1) * self.neighbour(neighbours)).sum(dim=-1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=600)
    args = parser.parse_args()

    random.seed(0)
    torch.manual_seed(0)
    sentences = list(text(1000))
    vocabulary = sorted({word for sentence in sentences for word in sentence})
    number = {word: k for k, word in enumerate(vocabulary)}
    pairs = torch.tensor([(number[word], number[other]) for sentence in sentences for i, word in enumerate(sentence)
                          for j, other in enumerate(sentence) if 0 < abs(i - j) <= 3])
    frequency = torch.bincount(pairs[:, 1]).float() ** 0.75
    print(f"{len(vocabulary)} words, {len(pairs)} pairs of neighbours")

    model = SkipGram(len(vocabulary), 16)
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    for step in range(args.steps):
        centre, neighbour = pairs[torch.randint(len(pairs), (256,))].T
        strangers = torch.multinomial(frequency, 256 * 5, replacement=True).view(256, 5)
        scores = model(centre, torch.cat((neighbour.unsqueeze(1), strangers), dim=1))  # the first is a true neighbour
        truth = torch.zeros_like(scores)
        truth[:, 0] = 1
        loss = F.binary_cross_entropy_with_logits(scores, truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0 or step == args.steps - 1:
            print(f"step {step:3}  loss {loss.item():.4f}")

    vectors = F.normalize(model.centre.weight.detach(), dim=1)
    right = 0
    for words in GROUPS.values():
        for k, word in enumerate(words):
            nearest = [vocabulary[i] for i in (vectors @ vectors[number[word]]).topk(4).indices.tolist()][1:]
            right += nearest[0] in words
            if k == 0:
                print(f"nearest to {word}: {', '.join(nearest)}")
    print(f"the nearest word is of the same kind for {right} of {sum(map(len, GROUPS.values()))}")


if __name__ == "__main__":
    main()
