"""What the hidden layers of a network say and what their gradients do, step by step and over an epoch."""
