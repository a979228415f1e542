"""Loading data, and other helpers."""
