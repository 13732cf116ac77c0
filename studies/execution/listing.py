"""Keeps the page that lists all studies up to date when a run begins and when it ends early; no run fails by it."""

import sys
from pathlib import Path

from studies.base.wording import printable
from studies.database.store import Store
from studies.storage.paths import Locations


def list_studies(store: Store, output: Path) -> str | None:
    """Write the page that lists all studies; return what went wrong as a note, None if nothing did."""
    try:
        from studies.results.study_index import index_studies

        index_studies(store, Locations(storage=store.address, output=output))
    except Exception as error:  # whatever it is: a page is no reason to lose a run
        reason = getattr(error, "message", None) or str(error) or type(error).__name__
        return printable(f"the list of all studies in {output} is not up to date: {reason}")
    return None


def tell_listing(store: Store, output: Path) -> None:
    """Write the page when a run ends early; what goes wrong is told on standard error."""
    problem = list_studies(store, output)
    if problem is not None:
        print(f"note: {problem}", file=sys.stderr)
