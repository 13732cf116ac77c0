"""Tests of `trainables.use`."""
