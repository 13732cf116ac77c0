"""A user's own study file, data, networks and training loop, as any process runs them."""
