"""What networks are made of, side by side as a stack: layers, parameters, and plain modules as a stack."""
