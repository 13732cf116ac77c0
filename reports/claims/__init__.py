"""Sentences that are made from gated results."""
