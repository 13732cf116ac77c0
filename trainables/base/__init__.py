"""Leaves that all of training may import: hyperparameters, records, metrics, seeds."""
