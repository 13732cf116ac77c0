"""What a page keeps within itself, compressed, so that its file alone, once mailed, can still hand out its data."""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from reports.pages.rendering import csv_parts

if TYPE_CHECKING:
    from reports.plots.style.figure import Figure

MOST_CHARACTERS: Final = 1_500_000
"""What all kept files together may add to a page; the figures themselves are in the page anyway."""
FRAMES_OF_DRAWINGS: Final = "figures/"
"""The name under which lies what stands around the drawings in the files of figures (`Figure.around`), as JSON."""


def figure_csv(figure: "Figure") -> bytes:
    """What lies in a figure's CSV file, beside the page and in it."""
    return b"".join(csv_parts(figure.data))


def kept_files(
    figures: Sequence["Figure"], data: Mapping[str, bytes], others: Mapping[str, bytes]
) -> dict[str, str]:
    """Files by their path beside the page, each as base64 of its zlib stream: the same bytes for the same files.

    `data` are the figures' CSV files by slug, and `others` come first. Once all together would be longer than
    MOST_CHARACTERS, the longest are left out: their links lead to the files beside the page, as all do without script.
    """
    around = {figure.slug: figure.around() for figure in figures}
    first = {FRAMES_OF_DRAWINGS: json.dumps(around, ensure_ascii=False).encode(), **others}
    kept = {name: _packed(content) for name, content in first.items()}
    room = MOST_CHARACTERS - sum(map(len, kept.values()))
    packed = {f"frames/{slug}.csv": _packed(content) for slug, content in data.items()}
    for name in sorted(packed, key=lambda name: (len(packed[name]), name)):
        room -= len(packed[name])
        if room < 0:
            break
        kept[name] = packed[name]
    return kept


def _packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, 9)).decode()
