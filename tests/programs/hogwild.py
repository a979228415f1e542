"""One model in memory that several processes share and train at once, each started by spawn."""

import argparse

import torch
import torch.multiprocessing as mp
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.utils.data.sampler import Sampler  # noqa: F401


class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.fc1 = nn.Linear(2, 16)
        self.fc2 = nn.Linear(16, 2)

    def forward(self, x):
        x = F.dropout(F.relu(self.fc1(x)), 0.1, training=self.training)
        return F.log_softmax(self.fc2(x), dim=1)


def points(seed):
    x = torch.randn(256, 2, generator=torch.Generator().manual_seed(seed))
    return x, (x[:, 0] * x[:, 1] > 0).long()


def train(rank, args, model, dataset):
    torch.manual_seed(args.seed + rank)
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
    for _ in range(args.epochs):
        for data, target in torch.utils.data.DataLoader(dataset, batch_size=16, shuffle=True):
            optimizer.zero_grad()
            F.nll_loss(model(data), target).backward()
            optimizer.step()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    mp.set_start_method("spawn", force=True)
    model = Net()
    model.share_memory()
    x, y = points(7)
    first = F.nll_loss(model(x), y).item()
    sets = [torch.utils.data.TensorDataset(*points(rank)) for rank in (0, 1)]
    processes = [mp.Process(target=train, args=(rank, args, model, dataset)) for rank, dataset in enumerate(sets)]
    for p in processes:
        p.start()
    for p in processes:
        p.join()
    model.eval()
    print("first {:.4f} last {:.4f}".format(first, F.nll_loss(model(x), y).item()))
