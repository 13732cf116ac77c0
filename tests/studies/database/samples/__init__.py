"""Databases as earlier schemas wrote them: `schema_0001.sql` and so on, each a dump that SQLite reads."""
