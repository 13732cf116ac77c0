"""What was noted of runs: their events, what they were made with, and the linear baseline."""
