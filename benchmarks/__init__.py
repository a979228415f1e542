"""Speed, memory and size of minigrad beside PyTorch, JAX, MyGrad and HIPS autograd, each in a process of its own."""
