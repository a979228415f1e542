"""13. LeNet reads handwriting: MNIST, images turned and moved at random by two processes, and TensorBoard's files of the run."""

import argparse

from tqdm import tqdm

import minigrad as torch
from minigrad import optim, viz
from minigrad.nn import functional as F
from minigrad.utils.data import DataLoader, Subset
from minigrad.utils.tensorboard import SummaryWriter
from minigrad.vision import datasets, models, transforms
from minigrad.vision.utils import make_grid

NORMALIZE = [transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]
MOVE = [transforms.RandomAffine(10, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=5)]


def load(folder, full):
    """Images to learn from and to be tested on: a tenth of MNIST's 10,000 test images, or all of them, is for the test."""
    learn = datasets.MNIST(folder, train=full, download=True, transform=transforms.Compose(MOVE + NORMALIZE))
    check = datasets.MNIST(folder, train=False, download=True, transform=transforms.Compose(NORMALIZE))
    if full:
        return learn, check
    order = torch.randperm(len(learn)).tolist()
    return Subset(learn, order[len(order) // 10:]), Subset(check, order[:len(order) // 10])


@torch.no_grad()
def accuracy(model, loader):
    model.eval()
    share = sum((model(images).argmax(dim=1) == labels).sum().item() for images, labels in loader) / len(loader.dataset)
    model.train()
    return share


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--data", default="data", help="where MNIST/raw is, or is to be fetched to")
    parser.add_argument("--full", action="store_true", help="learn from the 60,000 images for training")
    parser.add_argument("--workers", type=int, default=2, help="processes that make batches")
    args = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(1)  # threads do not make products this small faster, and the processes have work for the other cores
    learn, check = load(args.data, args.full)
    batches = DataLoader(learn, batch_size=64, shuffle=True, num_workers=args.workers, persistent_workers=args.workers > 0)
    test = DataLoader(check, batch_size=500)

    model = models.LeNet()
    optimizer = optim.AdamW(model.parameters(), lr=3e-3)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=args.epochs * len(batches))
    with SummaryWriter("runs/lenet") as writer:
        for epoch in range(args.epochs):
            total = 0.0
            for images, labels in tqdm(batches, desc=f"epoch {epoch}", leave=False, disable=None):
                loss = F.cross_entropy(model(images), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                total += loss.item() * len(images)
            share = accuracy(model, test)
            writer.add_scalar("loss", total / len(learn), epoch)
            writer.add_scalar("test accuracy", share, epoch)
            print(f"epoch {epoch:2}  loss {total / len(learn):.4f}  test accuracy {share:.2%}", flush=True)
        writer.add_image("what it learns from", make_grid(images, normalize=True))
        writer.add_graph(model, images)
    torch.save(model.state_dict(), "runs/lenet.pt")
    viz.filters(model).save("runs/lenet-filters.html")
    viz.activations(model, images).save("runs/lenet-maps.html")
    print("what it looks for: runs/lenet-filters.html, and what each layer sees in a digit: runs/lenet-maps.html")
    print("look at the run by: tensorboard --logdir runs")


if __name__ == "__main__":
    main()
