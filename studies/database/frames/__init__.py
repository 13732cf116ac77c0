"""Recorded rows as pandas data frames and records."""
