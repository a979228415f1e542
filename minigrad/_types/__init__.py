"""What a tensor is described by: the type of its elements, their order in memory, its size."""
