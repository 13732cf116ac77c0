"""What is recorded of a study, handed to other tools: one file for each of them."""
