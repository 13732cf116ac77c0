"""The driver alone: trials that train nothing, and a meter for each of its parts."""
