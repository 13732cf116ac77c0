"""Verdicts on training, from what was measured."""
