"""A user's own study file: its code, its data, its training loop."""
