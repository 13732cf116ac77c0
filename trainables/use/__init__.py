"""Trained networks in use: saved with what their inputs need, loaded, and asked for predictions."""
