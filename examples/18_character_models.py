"""6. A recurrent network learns to spell: trained on names of rivers, letter by letter, it invents new ones."""

import argparse

import minigrad as torch
from minigrad import nn, optim
from minigrad.nn import functional as F
from minigrad.nn.utils.rnn import pad_sequence

RIVERS = """
aare adige aller allier amazon amur angara aragon arkansas arno avon bug cam clyde colorado columbia congo dal danube darling
dee dnieper dniester don donets dordogne douro drava drina dvina ebro eider elbe ems euphrates exe fraser gambia ganges
garonne godavari guadiana havel indus inn irrawaddy irtysh isar isere jordan kama kasai kemi kolyma krishna kura lech lena
limpopo loire lot madeira magdalena main maritsa marne mekong mersey meuse mississippi missouri morava moselle murray narmada
neckar neisse neva niger nile oder ohio oise oka okavango olt orange orinoco paraguay parana pechora po potomac prut purus
rhine rhone ruhr saale sava seine senegal severn shannon snake soca somme spree tagus tamar tapajos tarim tees thames tiber
tigris tisza tweed tyne ucayali ural uruguay vah vistula vltava volga volta warta weser wye yangtze yenisei yonne yukon
zambezi"""
LETTERS = ".abcdefghijklmnopqrstuvwxyz"  # the dot begins and ends a word


class Speller(nn.Module):
    """Takes letters, gives for each the scores of the letter that follows."""

    def __init__(self, cell, hidden=64):
        super().__init__()
        self.embedding = nn.Embedding(len(LETTERS), 16)
        self.rnn = {"lstm": nn.LSTM, "gru": nn.GRU}[cell](16, hidden, batch_first=True)
        self.out = nn.Linear(hidden, len(LETTERS))

    def forward(self, letters, state=None):
        x, state = self.rnn(self.embedding(letters), state)
        return self.out(x), state


@torch.no_grad()
def invent(model, temperature=0.8):
    """A word: one letter drawn after the other, each fed back in."""
    word, letter, state = "", torch.zeros(1, 1, dtype=torch.long), None
    while len(word) < 12:
        scores, state = model(letter, state)
        letter = torch.multinomial((scores[0] / temperature).softmax(dim=1), 1)
        if letter.item() == 0:
            break
        word += LETTERS[letter.item()]
    return word


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=90)
    parser.add_argument("--cell", choices=("lstm", "gru"), default="lstm")
    args = parser.parse_args()

    torch.manual_seed(0)
    words = [torch.tensor([LETTERS.index(c) for c in f".{word}."]) for word in RIVERS.split()]
    inputs = pad_sequence([w[:-1] for w in words], batch_first=True)
    targets = pad_sequence([w[1:] for w in words], batch_first=True, padding_value=-100)  # -100: no loss where a word has ended

    model = Speller(args.cell)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    for step in range(args.steps):
        scores, _ = model(inputs)
        loss = F.cross_entropy(scores.transpose(1, 2), targets)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 30 == 0 or step == args.steps - 1:
            print(f"step {step:3}  loss {loss.item():.4f}  (one of {loss.exp().item():.1f} letters)")

    invented = {invent(model) for _ in range(60)} - {*RIVERS.split(), ""}
    print("rivers that are on no map:", ", ".join(sorted(invented)[:12]))


if __name__ == "__main__":
    main()
