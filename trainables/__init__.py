"""How one configuration is trained and measured: data, models, the stack of replicates, gradients."""
