"""Compiled kernels: what stands between two matrix products, in one pass over memory that a core's cache holds."""
