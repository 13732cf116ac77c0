"""The README's text and its code blocks."""

import re
from pathlib import Path

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")


def block(name: str) -> str:
    """Return the text of the code block after the comment with this name."""
    found = re.search(rf"<!-- {re.escape(name)} -->\s*```\w+\n(.*?)\n```", README, re.DOTALL)
    assert found is not None, f"the README has no block {name}"
    return found.group(1)
