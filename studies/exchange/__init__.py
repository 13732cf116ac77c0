"""Out to other tools: what was recorded of a study, and what its model predicts, in their formats."""
