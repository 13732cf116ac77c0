"""What Ray says of a worker that was lost."""

import re
from pathlib import Path
from typing import Any, Final

COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")


VANISHED: Final = "Worker exit type: SYSTEM_ERROR"
"""What Ray says of a worker whose process ended by itself and without a word, or was killed by a signal."""


def has_vanished(words: str) -> bool:
    """Tell whether these words of Ray's are of a process that ended without a word, on a node that lives."""
    return VANISHED in words


def words_of(trial: Any) -> str:
    """Return why Tune's trial ended without a report.

    Tune writes it to a file on this machine before it tells its callbacks; `get_error` looks where that is copied
    later.
    """
    path = trial.error_file
    if path is None or not Path(path).exists():
        return "Ray does not say why"
    latest = Path(path).read_text().rpartition("Failure # ")[2]
    return COLOUR.sub("", latest.partition("\n")[2]).strip()
