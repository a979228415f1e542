"""11. When it does not learn: asking the graph why, where a NaN came from, and what keeps the memory."""

import argparse

import minigrad as torch
from minigrad import nn, optim
from minigrad.autograd import detect_anomaly, explain, graph_memory
from minigrad.datasets import digits
from minigrad.nn import functional as F


def title(text):
    print(f"\n{text}\n{'-' * len(text)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=5)
    args = parser.parse_args()
    torch.manual_seed(0)

    title("Why has this parameter no gradient?")
    encoder, decoder = nn.Linear(3, 2), nn.Linear(2, 3)
    x = torch.randn(4, 3)
    loss = F.mse_loss(decoder(encoder(x).detach()), x)  # a detach() left over from an experiment
    loss.backward(retain_graph=True)
    print("decoder:", explain(decoder.weight, loss))
    print("encoder:", explain(encoder.weight, loss))

    title("And why is this one zero?")
    weight = torch.tensor([-1.0, -2.0], requires_grad=True)
    loss = (weight * 3).relu().sum()
    loss.backward(retain_graph=True)
    print(explain(weight, loss))

    title("Where does the NaN come from?")
    p = torch.tensor([0.5, 0.0], requires_grad=True)
    try:
        with detect_anomaly():
            entropy = -(p * p.log()).sum()  # 0 log 0
            entropy.backward()
    except RuntimeError as error:
        print(error)

    title("The shapes do not fit")
    try:
        nn.Linear(64, 10)(digits()[0][:5])  # Flatten forgotten
    except RuntimeError as error:
        print(error)

    title("A value was overwritten that the derivative needs")
    y = weight.exp()
    y += 1
    try:
        y.sum().backward()
    except RuntimeError as error:
        print(error)

    title("What keeps the memory?")
    model = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(144, 10))
    loss = F.cross_entropy(model(torch.randn(32, 1, 8, 8)), torch.randint(10, (32,)))
    print(graph_memory(loss, model))

    title("What is wrong with this loop?")
    torch.set_hints("strict")  # hints are warnings; this makes them errors
    model = nn.Linear(1, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    try:
        for _ in range(args.steps):
            loss = model(torch.ones(1, 1)).square().sum()
            loss.backward()
            optimizer.step()
    except RuntimeError as error:
        print(error)
    torch.set_hints("warn")


if __name__ == "__main__":
    main()
