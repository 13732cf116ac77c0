"""Rows read in bulk, as frames."""
