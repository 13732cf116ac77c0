"""The statistics: paired contrasts, their intervals and gates, interactions, the lottery, budget curves."""
