"""Verdicts on the training of networks, from measured gradients and losses."""
