"""Terminals and pipes that lack letters, as where the locale is C: they get a question mark in their place."""

from typing import TextIO

_NARROW = ("ascii", "us-ascii", "ansi_x3.4-1968", "latin-1", "iso8859-1", "iso-8859-1")


def never_refuse(stream: TextIO) -> None:
    """Have a stream whose encoding lacks letters print a question mark for them: that beats a traceback."""
    reconfigure = getattr(stream, "reconfigure", None)
    if (stream.encoding or "").lower() in _NARROW and reconfigure is not None:
        reconfigure(errors="replace")
