"""Events recorded about runs: start and end, versions and machine, copied trials, and the linear baseline."""
