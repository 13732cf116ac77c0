"""What a plan would cost, found out before it is run."""
