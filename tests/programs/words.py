"""A language model of words, in the way of early examples: a model saved whole, gradients clipped, weights moved by hand."""

import argparse
import math

import torch
import torch.nn as nn
import torch.onnx
from torch.autograd import Variable

parser = argparse.ArgumentParser()
parser.add_argument("text")
parser.add_argument("--model", default="LSTM", choices=("LSTM", "GRU", "Transformer"))
parser.add_argument("--save", default="model.pt")
args = parser.parse_args()

torch.manual_seed(1111)
if torch.backends.mps.is_available() or torch.xpu.is_available() or torch.cuda.is_available():
    print("there is a faster device")

with open(args.text, encoding="utf8") as file:
    words = file.read().split()
known = sorted(set(words))
ids = torch.tensor([known.index(word) for word in words]).type(torch.int64)
columns = ids.narrow(0, 0, len(ids) // 4 * 4).view(4, -1).t().contiguous()


class Recurrent(nn.Module):
    def __init__(self, kind, tokens, width):
        super(Recurrent, self).__init__()
        self.drop = nn.Dropout(0.1)
        self.encoder = nn.Embedding(tokens, width)
        self.rnn = getattr(nn, kind)(width, width, 2, dropout=0.1)
        self.decoder = nn.Linear(width, tokens)
        self.decoder.weight = self.encoder.weight
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)

    def forward(self, input, hidden):
        output, hidden = self.rnn(self.drop(self.encoder(input)), hidden)
        return self.decoder(output), hidden

    def init_hidden(self, batch):
        zeros = next(self.parameters()).new_zeros(2, batch, self.rnn.hidden_size)
        return (zeros, zeros.clone()) if isinstance(self.rnn, nn.LSTM) else zeros


class Attentive(nn.Transformer):
    def __init__(self, tokens, width):
        super(Attentive, self).__init__(d_model=width, nhead=2, dim_feedforward=width, num_encoder_layers=1, num_decoder_layers=1)
        self.input_emb = nn.Embedding(tokens, width)
        self.read = nn.Linear(width, tokens)

    def forward(self, src):
        mask = torch.log(torch.tril(torch.ones(len(src), len(src))))
        return self.read(self.encoder(self.input_emb(src) * math.sqrt(self.d_model), mask=mask))


def repackage(hidden):
    return hidden.detach() if isinstance(hidden, torch.Tensor) else tuple(repackage(h) for h in hidden)


attentive = args.model == "Transformer"
model = Attentive(len(known), 16) if attentive else Recurrent(args.model, len(known), 16)
criterion = nn.CrossEntropyLoss()


def losses(train, rate=0.0):
    model.train(train)
    hidden, found = None if attentive else model.init_hidden(4), []
    for k in range(0, columns.size(0) - 1, 8):
        length = min(8, len(columns) - 1 - k)
        data, target = Variable(columns[k:k + length]), columns[k + 1:k + 1 + length].view(-1)
        model.zero_grad()
        if attentive:
            output = model(data)
        else:
            output, hidden = model(data, repackage(hidden))
        loss = criterion(output.view(-1, len(known)), target)
        if train:
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
            for p in model.parameters():
                if p.grad is not None:
                    p.data.add_(p.grad, alpha=-rate)
        found.append(loss.item())
    return sum(found) / len(found)


first = losses(train=False)
for _ in range(6):
    losses(train=True, rate=2.0)
with open(args.save, "wb") as f:
    torch.save(model, f)
with open(args.save, "rb") as f, torch.serialization.safe_globals([type(model), nn.Embedding, nn.Dropout]):
    model = torch.load(f, weights_only=False)
if not attentive:
    model.rnn.flatten_parameters()
last = losses(train=False)
print("first {:.4f} last {:.4f}".format(first, last))
