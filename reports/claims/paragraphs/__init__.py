"""The analysis in paragraphs, and what report.json says beside it."""
