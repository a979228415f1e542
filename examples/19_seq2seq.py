"""19. Sequence to sequence with attention: a network reads dates as people write them, and another learns to add.

Teaches: encoder and decoder, attention with a mask, teacher forcing, answers written sign by sign, a test on new questions.
Source: Sutskever et al. (2014), https://arxiv.org/abs/1409.3215; Bahdanau et al. (2015), https://arxiv.org/abs/1409.0473;
Luong et al. (2015), https://arxiv.org/abs/1508.04025, whose attention it is.
Result: 100.00% of 2,580 dates and 98.90% of 5,000 sums are exact, sign for sign, on questions that were not among those
learnt from.
Time: 2 min on one core.
"""

import datetime
import random

import data
from common import options, plt, progress, report

import minigrad as torch
from minigrad import nn, optim
from minigrad.nn import functional as F

SIGNS = " _+-,/0123456789abcdefghijklmnopqrstuvwxyz"  # the space fills up questions, _ begins an answer
FILLED, BEGIN = 0, 1


def make_dates():
    """Dates of forty years in three ways of writing, and as ISO 8601 has them."""
    days = [datetime.date(1970, 1, 1) + datetime.timedelta(k) for k in random.sample(range(365 * 40), 2500)]
    ways = ["{day:%B} {day.day}, {day.year}", "{day:%b} {day.day}, {day.year}", "{day.month}/{day.day}/{day:%y}"]
    return [(random.choice(ways).format(day=day), day.isoformat()) for day in days]


def make_additions():
    """Sums of two numbers below 100."""
    pairs = [(random.randrange(100), random.randrange(100)) for _ in range(2500)]
    return [(f"{a}+{b}", str(a + b)) for a, b in pairs]


def encode(texts, length):
    """Texts as numbers of signs, filled up with spaces: (n, length)."""
    return torch.tensor([[SIGNS.index(c) for c in text.ljust(length)] for text in texts])


def read_pairs(args, task):
    """Questions and answers as numbers: those to learn from, and a tenth whose questions are not among them."""
    pairs = data.read(args, f"{task}.txt", lambda root, download: data.datasets.sequence_pairs(task, root, download),
                      instead=make_dates if task == "date" else make_additions, what="pairs made up")
    pairs = [(question.lower(), answer) for question, answer in pairs][:args.pairs]
    if task == "addition":  # a sum is found from its last digit to its first, so it is written in this order
        pairs = [(question, answer[::-1]) for question, answer in pairs]
    longest = [max(map(len, texts)) for texts in zip(*pairs)]
    learnt = pairs[len(pairs) // 10:]
    known = {question for question, _ in learnt}
    held_out = [pair for pair in pairs[:len(pairs) // 10] if pair[0] not in known]
    return [[encode(texts, length) for texts, length in zip(zip(*part), longest)] for part in (learnt, held_out)]


class Translator(nn.Module):
    """Reads a question in both directions, and writes an answer, looking back at the question for every sign."""

    def __init__(self, width, hidden):
        super().__init__()
        self.embedding = nn.Embedding(len(SIGNS), width)
        self.encoder = nn.LSTM(width, hidden // 2, batch_first=True, bidirectional=True)
        self.decoder = nn.LSTM(width, hidden, batch_first=True)
        self.mix, self.out = nn.Linear(2 * hidden, hidden), nn.Linear(hidden, len(SIGNS))

    def read(self, questions):
        """What is remembered of each sign (n, length, hidden), which of them are spaces, and the state to begin with."""
        memory, state = self.encoder(self.embedding(questions))
        return memory, (questions == FILLED).unsqueeze(1), tuple(s.transpose(0, 1).flatten(1).unsqueeze(0) for s in state)

    def write(self, signs, memory, filled, state):
        """For each sign of an answer the scores of the next, how much each sign of the question counted, and the state."""
        x, state = self.decoder(self.embedding(signs), state)
        attention = (x @ memory.transpose(1, 2)).masked_fill(filled, -torch.inf).softmax(dim=2)
        seen = attention @ memory
        return self.out(self.mix(torch.cat([x, seen], dim=2)).tanh()), attention, state

    def forward(self, questions, answers):
        """Scores of every sign of the answers, each from the right signs before it: teacher forcing."""
        before = F.pad(answers[:, :-1], (1, 0), value=BEGIN)
        return self.write(before, *self.read(questions))[0]

    @torch.no_grad()
    def answer(self, questions, length):
        """Answers (n, length), each sign written from those written before, and the attention (n, length, question)."""
        memory, filled, state = self.read(questions)
        signs, attentions = [torch.full((len(questions), 1), BEGIN)], []
        for _ in range(length):
            scores, attention, state = self.write(signs[-1], memory, filled, state)
            signs.append(scores.argmax(dim=2))
            attentions.append(attention)
        return torch.cat(signs[1:], dim=1), torch.cat(attentions, dim=1)


def exact(model, questions, answers):
    """The share of questions whose answer is right in every sign."""
    written = torch.cat([model.answer(part, answers.shape[1])[0] for part in questions.split(500)])
    return (written == answers).all(dim=1).float().mean().item()


def learn(args, task):
    """A model that does the task, the questions held out, the answers to them, and the share that is exact after each epoch."""
    (questions, answers), (new_questions, new_answers) = read_pairs(args, task)
    model = Translator(args.width, args.hidden)
    optimizer = optim.Adam(model.parameters(), lr=args.lr)
    epochs = args.date_epochs if task == "date" else args.addition_epochs
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, args.lr, total_steps=epochs * -(-len(questions) // args.batch))
    shares, rounds = [], progress(range(epochs), task)
    for _ in rounds:
        for chosen in torch.randperm(len(questions)).split(args.batch):
            loss = F.cross_entropy(model(questions[chosen], answers[chosen]).transpose(1, 2), answers[chosen])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        shares.append(exact(model, new_questions, new_answers))
        rounds.set_postfix(loss=f"{loss.item():.3f}", exact=f"{shares[-1]:.1%}")
    return model, new_questions, new_answers, shares


def decode(numbers):
    """The text that numbers of signs stand for."""
    return "".join(SIGNS[k] for k in numbers.tolist()).rstrip()


def show(model, questions, answers, task):
    """Prints questions, the answers to them, and whether these are right."""
    forwards = 1 if task == "date" else -1
    for question, truth, written in zip(questions, answers, model.answer(questions, answers.shape[1])[0]):
        judged = "right" if torch.equal(written, truth) else f"wrong: {decode(truth)[::forwards]}"
        print(f"{decode(question):30} {decode(written)[::forwards]:12} {judged}")


def draw_attention(axes, model, question, length, task):
    """One question, the answer written to it, and where the network looked for each of its signs."""
    answer, attention = model.answer(question.unsqueeze(0), length)
    asked, written = decode(question), decode(answer[0])
    image = axes.imshow(attention[0, :len(written), :len(asked)].numpy(), cmap="Greens", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(asked)), asked)
    axes.set_yticks(range(len(written)), written)
    axes.set(xlabel="question", ylabel="answer, from above" if task == "date" else "sum, last digit first")
    axes.figure.colorbar(image, ax=axes, label="attention")


def main():
    args = options(__doc__, task=["both", "date", "addition"], pairs=(50_000, 2_500), date_epochs=(4, 3), addition_epochs=(15, 5),
                   batch=(128, 32), width=32, hidden=(128, 64), lr=(4e-3, 1e-2))
    torch.manual_seed(args.seed)
    random.seed(args.seed)
    tasks = ("date", "addition") if args.task == "both" else (args.task,)
    figure, rows = plt.subplots(len(tasks), 2, figsize=(7.2, 2.7 * len(tasks)), width_ratios=(2.6, 1), squeeze=False)
    figures, told = {}, []
    for (left, right), task in zip(rows, tasks):
        model, questions, answers, shares = learn(args, task)
        show(model, questions[:5], answers[:5], task)
        draw_attention(left, model, questions[0], answers.shape[1], task)
        right.plot(range(1, len(shares) + 1), [100 * share for share in shares], "o-", markersize=3)
        right.set(xlabel="epoch", ylabel="% exact, held out", ylim=(0, 103))
        right.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
        figures |= {task: shares[-1], f"{task}_held_out": len(questions)}
        told.append(f"{shares[-1]:.2%} of {len(questions):,} {'dates' if task == 'date' else 'sums'}")
    figure.savefig(args.out / "attention.png")
    report(args, f"{' and '.join(told)} are exact, sign for sign, on questions that were not among those learnt from.",
           picture="attention.png", **figures)


if __name__ == "__main__":
    main()
