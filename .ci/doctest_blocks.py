"""An extension of griffe: examples in docstrings, which `>>>` begins, become blocks of code of a page."""

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"(?:^>>> .*(?:\n(?!\s*$).*)*(?:\n\n(?=>>> ))?)+", re.MULTILINE)


class DoctestBlocks(griffe.Extension):  # type: ignore[misc]
    """Puts fences around every example."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of an object that was just read."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(text: str) -> str:
    """Return a docstring in which each run of examples is a fenced block.

    >>> print(fenced("Add.\\n\\n>>> 1 + 1\\n2"))
    Add.
    <BLANKLINE>
    ```pycon
    >>> 1 + 1
    2
    ```
    """
    return EXAMPLE.sub(lambda match: f"```pycon\n{match.group().rstrip()}\n```", text)
