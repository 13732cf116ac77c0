"""Whether later data are still those that a model was measured on: what is compared, and how it is decided."""
