"""Building blocks of networks for stacks of replicates: layers, parameters, and plain modules as a stack."""
