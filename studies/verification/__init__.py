"""The checks of `studies verify`, and how every command reports damaged rows."""
