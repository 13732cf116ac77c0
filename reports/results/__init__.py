"""What the frames come to: accounting, outcomes, cells, the best configuration, what may be said at which look."""
