"""Fourier transforms and the windows of signal processing."""
