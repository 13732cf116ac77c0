"""Carries out requests: preparation, registration, the driver, reuse of results, deletion."""
