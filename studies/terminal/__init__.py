"""What a person sees in the terminal: the live display, plain lines, and the pages of list, status and show."""
