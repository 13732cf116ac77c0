"""analysis.md: the question, the verdict and the three paragraphs of the analysis, to be handed in or pasted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SPECIAL = re.compile(r"[\\`*_\[\]<>&!|~$#^@]|(?<=\w):(?=//)|(?<=\bwww)\.")
_OPENS_BLOCK = re.compile(r"^([-+=]|\d+(?=[.)]))")


def analysis_file(report: Mapping[str, Any]) -> str:
    """The text of the file, from report.json: Markdown in which the study's own words are text and nothing else."""
    paragraphs = [report["verdict"]["sentence"], *report["analysis"]]
    parts = [f"# {escaped(report['question'])}", *(escaped(text) for text in paragraphs if text)]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """One line of text that Markdown shows as it is: no emphasis, link, HTML, list, heading or address.

    >>> escaped("<b>a_b</b>"), escaped("1. not a list")
    ('\\\\<b\\\\>a\\\\_b\\\\</b\\\\>', '1\\\\. not a list')
    """
    line = _SPECIAL.sub(lambda found: "\\" + found[0], " ".join(str(text).split()))
    return _OPENS_BLOCK.sub(lambda found: found[0] + "\\" if found[0].isdigit() else "\\" + found[0], line)
