"""A stack of replicates in training: its step, its state, its memory, and which of them rest."""
