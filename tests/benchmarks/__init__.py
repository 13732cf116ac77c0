"""Measurements of cost, run by hand: each prints ratios of two things measured in one run, and asserts nothing."""
