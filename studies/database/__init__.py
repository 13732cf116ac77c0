"""Where studies are kept: the only package that knows SQL."""
