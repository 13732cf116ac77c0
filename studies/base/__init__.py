"""Leaves that everything may import: errors, messages, wording, states, durations, signals, files."""
