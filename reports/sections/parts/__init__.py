"""What sections are made of: their context, tables, and lists of settings."""
