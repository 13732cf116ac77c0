"""TO BE DELETED AT THE MERGE with `reports/claims/verdict.py`: a verdict made of what report.json has without it."""

from collections.abc import Mapping
from typing import Any


def fallback_verdict(report: Mapping[str, Any]) -> dict[str, Any]:
    """The first gated sentence as the verdict, the next ones as its facts, and the first figure of the contrasts."""
    said = [each["sentence"] for each in report["answer"]] or [report["found"]]
    by_gate = {row["gate"] for row in report["contrasts"]}
    slug = "interaction" if "INTERACTION" in by_gate else "isolation" if report["contrasts"] else "confirmed"
    return {"sentence": said[0], "facts": said[1:3], "status": "", "picture": {"slug": slug}}
