"""How things are measured and written down: clocks, processes, pairs, floors, tables and the page of results."""
