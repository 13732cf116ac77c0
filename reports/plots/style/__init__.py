"""What all plots share: theme, axes, canvas, grids, intervals."""
