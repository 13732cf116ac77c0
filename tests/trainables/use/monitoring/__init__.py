"""Tests of `trainables.use.monitoring`."""
