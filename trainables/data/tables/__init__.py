"""Reading the user's own tables: files, columns, labels, and the ways in which numbers are written."""
