"""Words, numbers and sentences: how anything is said."""
