"""What the script of a page shows of its figures, put together from the page as the script does it."""

import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

SOURCE = re.compile(r'<script type="application/json" id="explore">(.*?)</script>', re.DOTALL)


@dataclass(frozen=True)
class Shown:
    """A mark as the script shows it."""

    text: str
    x: float
    y: float
    owner: list[list[str]]


def shown_marks(told: dict[str, Any]) -> list[list[Shown]]:
    """The marks of every panel, put together as the script does it."""
    texts = told["texts"]
    panels = []
    for _, groups, _ in told["panels"]:
        marks = []
        for parts, dx, dy, owner, *_ in groups:
            columns = [texts[part[0] if isinstance(part, list) else part] for part in parts]
            columns = [
                column.split("|") if isinstance(part, list) and isinstance(column, str) else column
                for part, column in zip(parts, columns, strict=True)
            ]
            for at, (x, y) in enumerate(zip(np.cumsum(dx) / 10, np.cumsum(dy) / 10, strict=True)):
                text = "".join(column if isinstance(column, str) else column[at] for column in columns)
                mine = told["owners"][owner[at] if isinstance(owner, list) else owner]
                marks.append(Shown(text, float(x), float(y), mine))
        panels.append(marks)
    return panels


def given_to(page: str) -> dict[str, Any]:
    """Return the JSON that a page holds for its script."""
    found: dict[str, Any] = json.loads(SOURCE.search(page)[1])  # type: ignore[index]
    return found
