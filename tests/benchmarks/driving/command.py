"""The words of `studies.run` for a study of a benchmark."""

import json
from collections.abc import Mapping
from typing import Any

INTERRUPTED = 130
"""How a run ends that was asked to stop as by Ctrl-C."""


def run_words(
    settings: Mapping[str, Any], *, workers: int, folder: str, single_look: bool = True
) -> list[str]:
    """Return the options of a quiet run under the name `study` in a folder of its own.

    What later looks train depends on what the first one shows: runs that shall train the same networks have a single
    look.
    """
    words = ["--name", "study", "--workers", str(workers), "--quiet"]
    words += ["--storage", f"sqlite:///{folder}/studies.db", "--output", folder]
    for field, value in {**settings, **({"looks": []} if single_look else {})}.items():
        words += ["--set", f"{field}={json.dumps(value)}"]
    return words
