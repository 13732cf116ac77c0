"""From a request to a report: registration, the driver, reuse, deletion."""
