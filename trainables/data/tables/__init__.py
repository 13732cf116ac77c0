"""Tables of one's own: files, columns, labels, and numbers as people write them."""
