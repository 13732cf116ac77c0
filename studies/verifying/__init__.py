"""What must hold of everything that is recorded of a study, checked without trusting what wrote it."""
