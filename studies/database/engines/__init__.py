"""SQLite and PostgreSQL: opened, locked, and their errors told."""
