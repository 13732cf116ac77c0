"""SQLite and PostgreSQL: connections, locks and error messages."""
