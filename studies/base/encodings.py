"""Streams whose encoding cannot hold every character, as in the C locale: these print a question mark instead."""

from typing import TextIO

_NARROW = ("ascii", "us-ascii", "ansi_x3.4-1968", "latin-1", "iso8859-1", "iso-8859-1")


def never_refuse(stream: TextIO) -> None:
    """Make a stream with an ASCII or Latin-1 encoding print `?` for other characters rather than raise."""
    reconfigure = getattr(stream, "reconfigure", None)
    if (stream.encoding or "").lower() in _NARROW and reconfigure is not None:
        reconfigure(errors="replace")
