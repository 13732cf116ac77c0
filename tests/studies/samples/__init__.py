"""Real studies as each version of plans recorded them, `plan_1.sql` and so on, and the files they were run from."""
