"""Predictions about a plan before it runs: time, precision, GPU memory, and whether the user's code works."""
