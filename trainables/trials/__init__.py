"""Training of one trial between reports: by one stack, several in turn, a user's loop, or spread over workers."""
