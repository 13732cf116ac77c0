"""The pieces of a plain PyTorch script, each written from a recipe."""
