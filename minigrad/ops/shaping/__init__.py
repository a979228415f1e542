"""The same elements in another shape or order, parts of a tensor, and tensors put together."""
