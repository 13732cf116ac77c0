"""The sections of the page, one file each: from the results to words, tables and figures for a template."""
