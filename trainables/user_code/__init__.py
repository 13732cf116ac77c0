"""A user's own study file, network and loop, as any process runs them."""
