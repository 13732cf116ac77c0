"""What a user sees in the terminal: the live display, plain lines, and the pages of list, status, show and verify."""
