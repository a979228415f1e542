"""3. A multilayer perceptron reads handwritten digits: batches, epochs, and images it has never seen."""

import argparse

import minigrad as torch
from minigrad import nn, optim
from minigrad.datasets import digits
from minigrad.utils.data import DataLoader, TensorDataset, random_split

SHADES = " .:-=+*#%@"


def show(image):
    """An image as text, dark where there is ink."""
    for row in image.squeeze().tolist():
        print("   ", "".join(2 * SHADES[int(9 * value)] for value in row))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=15)
    args = parser.parse_args()

    torch.manual_seed(0)
    images, labels = digits()  # (1797, 1, 8, 8) and (1797,)
    train, test = random_split(TensorDataset(images, labels), [1437, 360])
    loader = DataLoader(train, batch_size=32, shuffle=True)

    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    print(model)
    print(sum(p.numel() for p in model.parameters()), "parameters")
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=3e-3)

    for epoch in range(args.epochs):
        total = 0.0
        for x, y in loader:
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        print(f"epoch {epoch:2}  loss {total / len(train):.4f}")

    x, y = images[test.indices], labels[test.indices]
    with torch.no_grad():
        confidence, guess = model(x).softmax(dim=1).max(dim=1)
    print(f"test accuracy {(guess == y).float().mean().item():.1%}")
    worst = confidence.masked_fill(guess == y, 0).argmax()
    print(f"a hard one: a {y[worst].item()}, taken for a {guess[worst].item()} with {confidence[worst].item():.0%} confidence")
    show(x[worst])


if __name__ == "__main__":
    main()
