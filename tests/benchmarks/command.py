"""The words of `studies.run` for a study of a benchmark."""

import json
from collections.abc import Mapping
from typing import Any


def run_words(settings: Mapping[str, Any], *, workers: int) -> list[str]:
    """Return the options of a quiet run under the name `study`."""
    words = ["--name", "study", "--workers", str(workers), "--quiet"]
    for field, value in settings.items():
        words += ["--set", f"{field}={json.dumps(value)}"]
    return words
