"""What a study may say: its parts, its fields, and the rules that these must keep."""
