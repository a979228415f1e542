"""The operations of neural networks that pay to be one node each: activations, convolutions, pooling, normalization, attention,
losses."""
