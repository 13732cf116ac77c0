"""Leaf modules of training: hyperparameters, records, metrics, seeds, and the registry of modules."""
