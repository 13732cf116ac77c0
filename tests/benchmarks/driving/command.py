"""The words of `studies.run` for a study of a benchmark."""

import json
from collections.abc import Mapping
from typing import Any

INTERRUPTED = 130
"""How a run ends that was asked to stop as by Ctrl-C."""


def run_words(settings: Mapping[str, Any], *, workers: int, folder: str) -> list[str]:
    """Return the options of a quiet run under the name `study` in a folder of its own."""
    words = ["--name", "study", "--workers", str(workers), "--quiet"]
    words += ["--storage", f"sqlite:///{folder}/studies.db", "--output", folder]
    for field, value in settings.items():
        words += ["--set", f"{field}={json.dumps(value)}"]
    return words
