"""The checks of `studies verify`, and damaged rows as every door tells them."""
