"""Recorded results: as frames for users, as inputs of reports, and the best configuration's weights."""
