"""The user's own study file: loaded, checked, called safely, and created from a template."""
