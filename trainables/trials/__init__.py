"""A trial in training from report to report, by a stack, by several in turn, by a loop, or spread over workers."""
