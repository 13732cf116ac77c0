"""From a request to a frozen plan: its cells, trials and numbers, and what it runs on."""
