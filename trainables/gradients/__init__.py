"""Measures gradients and activations while a network trains."""
