"""Prints the command of a README's code block, the one after the comment `<!-- NAME -->`."""

import re
import sys
from pathlib import Path


def find_command(text: str, name: str) -> str:
    """Return the text of the shell block that follows the comment; raise LookupError if there is none."""
    found = re.search(rf"<!-- {re.escape(name)} -->\s*```(?:sh|bash)\n(.*?)\n```", text, re.DOTALL)
    if found is None:
        raise LookupError(f"the README has no shell block after <!-- {name} -->")
    return found.group(1)


if __name__ == "__main__":
    print(find_command(Path(sys.argv[2]).read_text(encoding="utf-8"), sys.argv[1]))
