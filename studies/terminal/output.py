"""Output streams: rich consoles that can print any text, and JSON on standard output."""

import json
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, TextIO

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from studies.base.encodings import never_refuse
from studies.base.wording import printable

WIDTH_OF_PIPES = 120
"""Width of output that is not a terminal, unless COLUMNS is set."""
LABEL_WIDTH = 9


def console_on(stream: TextIO) -> Console:
    """Return a console that writes to `stream`, in colour on a terminal unless NO_COLOR is set."""
    never_refuse(stream)
    has_width = stream.isatty() or "COLUMNS" in os.environ
    return Console(
        file=stream, highlight=False, markup=False, emoji=False, width=None if has_width else WIDTH_OF_PIPES
    )


def show(*parts: RenderableType) -> None:
    """Print parts to standard output, one below the other; lines in a pipe have no trailing blanks."""
    console = console_on(sys.stdout)
    with nullcontext() if console.is_terminal else console.capture() as captured:
        for part in parts:
            console.print(part)
    if captured is not None:
        print("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")))


def show_json(value: Any) -> None:
    """Print one JSON object to standard output; every number in it must be finite."""
    print(json.dumps(value, indent=2, allow_nan=False))


def text(content: str, style: str = "") -> Text:
    """Return text without control characters, in a style of rich's."""
    return Text(printable(content), style=style)


def labelled(rows: Sequence[tuple[str, RenderableType]], *, label_width: int = LABEL_WIDTH) -> Table:
    """Return a table of dimmed labels and their contents."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", width=label_width)
    table.add_column(overflow="fold")
    for label, content in rows:
        table.add_row(label, text(content) if isinstance(content, str) else content)
    return table


def heading(content: str) -> Padding:
    """Return a heading with an empty line above it."""
    return Padding(text(content, "bold"), (1, 0, 0, 0))
