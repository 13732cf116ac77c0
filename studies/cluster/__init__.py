"""Ray itself: started or joined, watched while it runs, and shut down."""
