"""The three paragraphs of the analysis, one file each: design and budget, performance, stability and limits."""
