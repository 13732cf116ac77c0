"""What Ray says of a worker that was lost."""

import re
from pathlib import Path
from typing import Any, Final

COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")


def words_of(trial: Any) -> str:
    """Return why Tune's trial ended without a report.

    Tune writes it to a file on this machine before it tells its callbacks; `get_error` looks where that is copied
    later.
    """
    path = trial.error_file
    if path is None or not Path(path).exists():
        return "Ray does not say why"
    latest = Path(path).read_text(encoding="utf-8", errors="replace").rpartition("Failure # ")[2]
    return COLOUR.sub("", latest.partition("\n")[2]).strip()
