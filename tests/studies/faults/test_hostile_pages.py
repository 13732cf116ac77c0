"""Hostile names, levels, questions and errors in a real browser: shown as text, and nothing of them runs."""

import csv
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reports.inputs.inputs import ReportInputs
from reports.pages.index import Entry, Standing, write_index
from reports.pages.page import write_report
from reports.pages.rendering import FORMULA_STARTS
from reports.pages.trial_page import write_trial_page
from reports.pages.two_studies import write_comparison
from tests.browser import Browser
from tests.reports.sample import sample_inputs
from tests.studies.faults.hostile import EVERYTHING, FORMULA, MARK, MARKUP, MATHEMATICS, PATH, SQL

MOMENT = datetime(2026, 3, 1, tzinfo=UTC)
LEVELS = (MARKUP, SQL, FORMULA, MATHEMATICS)


@dataclass(frozen=True, kw_only=True)
class Pages:
    """The four kinds of page, and the folder with everything that was written."""

    folder: Path
    report: Path
    trial: Path
    comparison: Path
    index: Path


def hostile_inputs(name: str) -> ReportInputs:
    """A study in which everything that is text was written by somebody hostile."""
    inputs = sample_inputs({"activation": LEVELS}, num_blocks=3, rates=2)
    trials = inputs.trials.assign(error=EVERYTHING, stop_reason=EVERYTHING, worker=EVERYTHING)
    trials.loc[0, "state"] = "failed"
    replicates = inputs.replicates.copy()
    replicates.loc[replicates["trial_number"] == 1, "outcome"] = "failed"
    provenance = {**inputs.provenance, "commit": EVERYTHING, "grown": EVERYTHING, "command": EVERYTHING}
    versions = {EVERYTHING: EVERYTHING}
    return replace(
        inputs,
        study=name,
        question=EVERYTHING,
        plan={**inputs.plan, "question": EVERYTHING, "dataset": EVERYTHING, "model": EVERYTHING},
        trials=trials,
        replicates=replicates,
        events=inputs.events.assign(kind=EVERYTHING, detail=EVERYTHING),
        artifacts=inputs.artifacts.assign(path=EVERYTHING),
        provenance={**provenance, "versions": versions},
        command=EVERYTHING,
    )


def hostile_entry(name: str) -> Entry:
    """A study whose report.json and picture were changed by the same hand."""
    picture = f'<svg xmlns="http://www.w3.org/2000/svg"><script>window.owned = 1</script>{MARKUP}</svg>'
    return Entry(
        study=name,
        question=EVERYTHING,
        standing=Standing.RUNNING,
        progress=(1, 2),
        verdict=EVERYTHING,
        picture=picture.encode(),
        created_at=MOMENT,
        reported_at=MOMENT,
        page="study/report.html",
    )


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """Write every kind of page."""
    folder = tmp_path_factory.mktemp("hostile")
    inputs, other = hostile_inputs(EVERYTHING), hostile_inputs(SQL)
    report = write_report(inputs, folder / "study")
    write_index([hostile_entry(EVERYTHING), hostile_entry(SQL)], folder / "index.html", as_of=MOMENT)
    return Pages(
        folder=folder,
        report=report,
        trial=write_trial_page(inputs, 1, folder / "study"),
        comparison=write_comparison(inputs, other, folder / "both"),
        index=folder / "index.html",
    )


@pytest.mark.parametrize("kind", ["report", "trial", "comparison", "index"])
def test_a_page_shows_hostile_text_as_text(pages: Pages, chromium: Browser, kind: str) -> None:
    chromium.open(getattr(pages, kind))
    check_nothing_became_markup(chromium)
    assert MARKUP in chromium.text
    assert "{{ 7 * 7 }}" in chromium.text, "a template was filled in"
    assert chromium.complaints == []


def test_unfolding_and_explaining_everything_runs_nothing(pages: Pages, chromium: Browser) -> None:
    chromium.open(pages.report)
    chromium.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    explain = (
        "document.querySelectorAll('.term').forEach((each) => (each.focus(), each.click(), each.click()))"
    )
    chromium.evaluate(explain)
    chromium.evaluate("dispatchEvent(new Event('beforeprint'))")
    check_nothing_became_markup(chromium)
    for part in (".verdict, .facts", ".use", "#compared", ".picture"):
        shown = chromium.evaluate(
            f"[...document.querySelectorAll('{part}')].map((each) => each.textContent).join()"
        )
        assert "window.owned" in str(shown) or FORMULA in str(shown), part
    assert chromium.complaints == []


def test_a_hostile_link_into_the_page_opens_and_runs_nothing(pages: Pages, chromium: Browser) -> None:
    chromium.open(pages.report, hash_="%3Cimg src=x onerror='window.owned=1'%3E\"]")
    chromium.open(pages.report, hash_="%E0%A4%A")
    check_nothing_became_markup(chromium)


def test_a_figure_that_is_opened_alone_runs_nothing(pages: Pages, chromium: Browser) -> None:
    figures = sorted(pages.folder.rglob("*.svg"))
    assert len(figures) > 5
    with_levels = 0
    for figure in figures:
        chromium.open(figure)
        assert chromium.evaluate("document.documentElement.tagName") == "svg", figure
        check_nothing_became_markup(chromium)
        with_levels += MARKUP in str(chromium.evaluate("document.documentElement.textContent"))
    assert with_levels, "no figure names a level: the test tests nothing"


def check_nothing_became_markup(chromium: Browser) -> None:
    assert chromium.evaluate("window.owned") is None
    assert chromium.evaluate(f"document.querySelectorAll('{MARK}, [{MARK}], [onerror]').length") == 0
    assert chromium.evaluate("document.querySelectorAll('a[href^=javascript]').length") == 0


def test_no_cell_of_a_frame_starts_a_formula(pages: Pages) -> None:
    frames = sorted(pages.folder.rglob("*.csv"))
    escaped = 0
    for path in frames:
        for row in csv.reader(path.read_text().splitlines()):
            for cell in row:
                escaped += cell.startswith("'" + FORMULA)
                assert not cell.startswith(FORMULA_STARTS) or is_number(cell), (path.name, cell)
    assert escaped, "no cell was a formula: the test tests nothing"


def is_number(cell: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*(e[+-]?\d+)?|inf)", cell) is not None


def test_no_file_lies_outside_and_none_is_named_by_a_text(pages: Pages) -> None:
    names = {path.name for path in pages.folder.rglob("*")}
    assert not any(part in name for name in names for part in ("owned", "DROP", "=", "<", "$"))
    assert not (pages.folder.parent / Path(PATH).name).exists()
