"""Training and measuring of one configuration: data, models, the stack of replicates, gradients."""
