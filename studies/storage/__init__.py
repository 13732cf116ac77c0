"""Where things lie: paths, artifacts, and the folder that a study remembers."""
