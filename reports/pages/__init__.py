"""Whole pages and files: the report, one trial, two studies, the index, report.json."""
