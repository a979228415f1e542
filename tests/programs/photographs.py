"""A network of torchvision's on a folder of photographs, in a group of processes that spawn starts; its checkpoint."""

import argparse
import os
import shutil

import torch
import torch.backends.cudnn as cudnn
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn as nn
import torch.utils.data.distributed
import torchvision.datasets as datasets
import torchvision.models as models
import torchvision.transforms as transforms
from torch.hub import tqdm
from torch.optim.lr_scheduler import StepLR
from torchvision.utils import save_image

names = sorted(name for name in models.__dict__
               if name.islower() and not name.startswith("__") and callable(models.__dict__[name]))


def accuracy(output, target, topk=(1,)):
    with torch.no_grad():
        _, pred = output.topk(max(topk), 1, True, True)
        correct = pred.t().eq(target.view(1, -1).expand_as(pred.t()))
        return [correct[:k].reshape(-1).float().sum(0, keepdim=True).mul_(100.0 / target.size(0)) for k in topk]


def work(gpu, args):
    dist.init_process_group(backend="gloo", init_method=args.dist_url, world_size=1, rank=0)
    torch.manual_seed(0)
    cudnn.deterministic = True
    model = models.__dict__[args.arch](num_classes=2)
    model = nn.SyncBatchNorm.convert_sync_batchnorm(model) if torch.cuda.is_available() else model
    model = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), 0.002, momentum=0.9, weight_decay=1e-4)
    scheduler = StepLR(optimizer, step_size=30, gamma=0.1)
    normalize = transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    folder = datasets.ImageFolder(args.data, transforms.Compose([
        transforms.RandomResizedCrop(64, scale=(0.8, 1.0)), transforms.RandomHorizontalFlip(), transforms.ToTensor(), normalize]))
    sampler = torch.utils.data.distributed.DistributedSampler(folder)
    loader = torch.utils.data.DataLoader(folder, batch_size=8, shuffle=False, num_workers=0, pin_memory=torch.cuda.is_available(),
                                         sampler=sampler)
    found = []
    for epoch in range(8):
        sampler.set_epoch(epoch)
        model.train()
        total = torch.zeros(2)
        for images, target in tqdm(loader, disable=True):
            images, target = images.to("cpu", non_blocking=True), target.to("cpu", non_blocking=True)
            output = model(images)
            loss = nn.functional.cross_entropy(output, target)
            acc1, acc2 = accuracy(output, target, topk=(1, 2))
            assert acc2[0] == 100
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += torch.tensor([loss.item(), 1])
        dist.all_reduce(total, dist.ReduceOp.SUM, async_op=False)
        found.append((total[0] / total[1]).item())
        scheduler.step()
    torch.save({"arch": args.arch, "state_dict": model.state_dict(), "best_acc1": acc1, "optimizer": optimizer.state_dict(),
                "scheduler": scheduler.state_dict()}, "checkpoint.pth.tar")
    shutil.copyfile("checkpoint.pth.tar", "best.pth.tar")
    checkpoint = torch.load("best.pth.tar")
    model.load_state_dict(checkpoint["state_dict"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    save_image(images, "batch.png", nrow=4, normalize=True)
    dist.destroy_process_group()
    print("first {:.4f} last {:.4f}".format(found[0], found[-1]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("-a", "--arch", default="squeezenet1_1", choices=names)
    args = parser.parse_args()
    args.dist_url = "file://" + os.path.abspath("store")
    mp.spawn(work, nprocs=1, args=(args,))
