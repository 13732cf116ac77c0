"""The report of a study as its folder holds it, made up."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from studies.database.rows import StudyRow

VERDICT = {
    "sentence": "No. Five layers do no better than three.",
    "facts": ["96.9 and 97.2 % right", "10 networks of each"],
    "status": "no",
    "picture": {"slug": "forest"},
}
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


def make(output: Path, study: StudyRow, **changes: Any) -> Path:
    """Write page, record and figure of a study below `output`, a second after its last change; return its folder."""
    folder = output / study.name
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    report = {
        "study": study.name,
        "plan_hash": study.plan_hash,
        "created_at": study.created_at.isoformat(),
        "generated_at": (study.updated_at + timedelta(seconds=1)).isoformat(),
        "verdict": VERDICT,
    }
    (folder / "report.html").write_text("")
    (folder / "report.json").write_text(json.dumps(report | changes))
    (folder / "figures" / "forest.svg").write_text(PICTURE)
    return folder
