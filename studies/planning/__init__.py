"""From a request to a frozen plan: its cells, its trials and their numbers, and the resources that it uses."""
