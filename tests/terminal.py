"""A terminal that is none, for what reads or writes otherwise where there is one."""

import io


class Terminal(io.StringIO):
    """A stream that says that it is a terminal; of one with content that is what is typed there."""

    def isatty(self) -> bool:
        """Say so."""
        return True
