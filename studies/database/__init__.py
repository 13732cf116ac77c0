"""The storage of studies; the only package that uses SQL."""
