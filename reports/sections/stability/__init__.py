"""The sections on gradient stability."""
