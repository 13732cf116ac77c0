"""Where files are kept: paths, artifacts, and the output folder recorded for each study."""
