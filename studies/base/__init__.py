"""Leaf modules that every other room may import: errors, messages, wording, states, durations, signals, files."""
