"""Real studies as each version of plans recorded them, `plan_1.sql` and so on, and the files they were run from.

The files of studies stay as they are: a changed one is another plan. `plan_1_schema_0001.sql` was recorded in the same
way by the last commit with that schema.
"""
