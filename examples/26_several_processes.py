"""14. One network trained by several processes, each with its part of every batch: gradients averaged by hand, then by
DistributedDataParallel. Start it by: python -m minigrad run -n 2 examples/14_several_processes.py"""

import argparse
import time

import minigrad as torch
from minigrad import distributed, nn, optim
from minigrad.datasets import digits
from minigrad.nn import functional as F
from minigrad.nn.parallel import DistributedDataParallel
from minigrad.utils.data import DataLoader, DistributedSampler, Subset, TensorDataset

BATCH = 64  # images of all processes together


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 16, 3)
        self.fc1, self.fc2, self.fc3 = nn.Linear(16, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (n, 6, 4, 4)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (n, 16, 1, 1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x.flatten(1))))))


def average_gradients(model):
    """What DistributedDataParallel does, without what makes it fast: many tensors at once, while others are still computed."""
    for p in model.parameters():
        distributed.all_reduce(p.grad)  # the sum over all processes, in each of them
        p.grad /= distributed.get_world_size()


def train(model, dataset, epochs, by_hand):
    """Seconds, and the loss of the last epoch over the samples of all processes."""
    sampler = DistributedSampler(dataset)
    loader = DataLoader(dataset, batch_size=BATCH // distributed.get_world_size(), sampler=sampler)
    optimizer = optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
    begin = time.perf_counter()
    for epoch in range(epochs):
        sampler.set_epoch(epoch)  # another order, the same in all processes
        total = torch.zeros(())
        for x, y in loader:
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            if by_hand:
                average_gradients(model)
            optimizer.step()
            total += loss.detach() / len(loader)
    distributed.all_reduce(total, distributed.ReduceOp.AVG)
    return time.perf_counter() - begin, total.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=15)
    args = parser.parse_args()

    distributed.init_process_group()  # a process that is started by itself is a group of one
    rank, processes = distributed.get_rank(), distributed.get_world_size()
    images, labels = digits()
    learn, test = Subset(TensorDataset(images, labels), range(1408)), range(1408, len(images))  # 22 whole batches

    for by_hand in (True, False):
        torch.manual_seed(0)  # the same weights in every process
        model = LeNet()
        seconds, loss = train(model if by_hand else DistributedDataParallel(model), learn, args.epochs, by_hand)
        with torch.no_grad():
            share = (model(images[test]).argmax(dim=1) == labels[test]).float().mean().item()
        weights = torch.cat([p.detach().flatten() for p in model.parameters()])
        everyones = [torch.empty_like(weights) for _ in range(processes)]
        distributed.all_gather(everyones, weights)
        if rank == 0:  # one process tells
            how = "averaged by hand" if by_hand else "DistributedDataParallel"
            alike = all(torch.equal(weights, other) for other in everyones)
            print(f"{how:24} {processes} processes, {BATCH // processes} images in each batch of one: loss {loss:.4f}, "
                  f"test accuracy {share:.1%}, {seconds:.1f} s, weights equal everywhere: {alike}")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
