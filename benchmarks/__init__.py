"""Speed and size of minigrad beside PyTorch eager, MyGrad and HIPS autograd, in one run on one machine."""
