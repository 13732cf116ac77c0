"""Training, evaluation and early stopping of a stack of networks."""
