"""Ray itself: started or joined, watched, and ended."""
