"""4. A convolutional network with batch normalization and a learning-rate schedule; saved, loaded, and still the same."""

import argparse
from pathlib import Path

import minigrad as torch
from minigrad import nn, optim
from minigrad.datasets import digits
from minigrad.nn import functional as F
from minigrad.utils.data import DataLoader, TensorDataset, random_split


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
        self.conv2, self.norm2 = nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32)
        self.drop = nn.Dropout(0.2)
        self.out = nn.Linear(32 * 2 * 2, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm1(self.conv1(x))), 2)  # (n, 16, 4, 4)
        x = F.max_pool2d(F.relu(self.norm2(self.conv2(x))), 2)  # (n, 32, 2, 2)
        return self.out(self.drop(x.flatten(1)))


def accuracy(model, images, labels):
    model.eval()  # batch normalization uses what it has learnt, dropout does nothing
    with torch.no_grad():
        share = (model(images).argmax(dim=1) == labels).float().mean().item()
    model.train()
    return share


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=8)
    args = parser.parse_args()

    torch.manual_seed(0)
    images, labels = digits()
    train, test = random_split(TensorDataset(images, labels), [1437, 360])
    test_images, test_labels = images[test.indices], labels[test.indices]
    loader = DataLoader(train, batch_size=64, shuffle=True)

    model = Net()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs)
    for epoch in range(args.epochs):
        total = 0.0
        for x, y in loader:
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        share = accuracy(model, test_images, test_labels)
        print(f"epoch {epoch:2}  lr {schedule.get_last_lr()[0]:.4f}  loss {total / len(train):.4f}  test accuracy {share:.1%}")
        schedule.step()

    path = Path("runs") / "cnn.pt"
    path.parent.mkdir(exist_ok=True)
    torch.save(model.state_dict(), path)
    again = Net()
    print(f"a new network: accuracy {accuracy(again, test_images, test_labels):.1%}")
    again.load_state_dict(torch.load(path))
    print(f"with the weights in {path}: accuracy {accuracy(again, test_images, test_labels):.1%}")


if __name__ == "__main__":
    main()
