"""The report of a study that lies in its folder, as far as others repeat it: its verdict, its time, its picture."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reports.pages.told_verdict import ToldVerdict
from studies.base.errors import StudiesError
from studies.database.rows import StudyRow
from studies.storage.paths import below

PAGE = "report.html"
RECORD = "report.json"
LIVE = "live.html"
"""The page beside it that tells how a run goes, and leads to the report once the study is finished."""


@dataclass(frozen=True, kw_only=True)
class MadeReport:
    """A report that was made of a study; `picture` is the file of the verdict's figure, None where there is none.

    `is_current` says whether nothing was recorded after it was made.
    """

    verdict: ToldVerdict
    made_at: datetime
    is_current: bool
    picture: Path | None


def find_report(folder: Path, study: StudyRow) -> MadeReport | None:
    """Return the report of this study in a folder.

    None where there is no page, where its report.json cannot be read, and where the report is of another study that
    had the same name, as of another storage.
    """
    if not (folder / PAGE).is_file():
        return None
    try:
        report = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        is_of_study = (report["plan_hash"], datetime.fromisoformat(report["created_at"])) == (
            study.plan_hash,
            study.created_at,
        )
        if not is_of_study:
            return None
        made_at = datetime.fromisoformat(report["generated_at"])
        is_current = made_at >= study.updated_at
    except (OSError, ValueError, LookupError, TypeError):
        return None
    verdict = ToldVerdict.of(report)
    return MadeReport(
        verdict=verdict, made_at=made_at, is_current=is_current, picture=_picture(folder, verdict.picture)
    )


def _picture(folder: Path, slug: str | None) -> Path | None:
    if slug is None:
        return None
    try:
        path = below(folder, f"figures/{slug}.svg")
    except StudiesError:  # a link that leads elsewhere
        return None
    return path if path.is_file() else None
