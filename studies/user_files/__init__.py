"""A person's own study file: loaded, checked, tried, and written anew."""
