"""What Ray Tune is told, and what becomes of what it tells."""
