"""What a study may say: its parts and fields, and the rules that they must keep."""
