"""Gradients and activations, measured while a network trains."""
