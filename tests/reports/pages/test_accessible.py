"""Every kind of page under axe-core, in light and dark, on a screen and a phone, unfolded: nothing is found."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from reports.pages.index import Entry, Standing, write_index
from reports.pages.page import write_report
from reports.pages.trial_page import write_trial_page
from reports.pages.two_studies import write_comparison
from tests.accessibility import violations
from tests.browser import Browser
from tests.reports.odd_inputs import SMALL
from tests.reports.sample import sample_inputs

WIDE, PHONE = (1280, 800), (400, 850)
UNFOLD = "document.querySelectorAll('details').forEach((each) => (each.open = true))"
AT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small study's report, one of its trials, it beside another, and the list of both."""
    folder = tmp_path_factory.mktemp("pages")
    study, other = (sample_inputs(SMALL, num_blocks=3, rates=2, seed=seed) for seed in (0, 1))
    listed = [
        Entry(
            study=name,
            question=f"Does {name} help?",
            standing=Standing.COMPLETE,
            progress=(6, 6),
            created_at=AT,
            verdict="Yes.",
            reported_at=AT,
            page=f"{name}/report.html",
        )
        for name in ("depth", "width")
    ]
    write_index(listed, folder / "index.html", as_of=AT)
    return {
        "report": write_report(study, folder / "study"),
        "trial": write_trial_page(study, int(study.trials["number"].max()), folder / "study"),
        "comparison": write_comparison(study, other, folder / "both"),
        "index": folder / "index.html",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["report", "trial", "comparison", "index"])
def test_axe_finds_nothing(pages: dict[str, Path], chromium: Browser, kind: str, scheme: str) -> None:
    chromium.resize(*(WIDE if scheme == "light" else PHONE))
    chromium.show_in(scheme)
    chromium.open(pages[kind])
    chromium.evaluate(UNFOLD)
    assert violations(chromium) == []
    assert chromium.complaints == []


def test_nor_with_a_figure_opened_and_something_highlighted(
    pages: dict[str, Path], chromium: Browser
) -> None:
    chromium.resize(*WIDE)
    chromium.show_in("dark")
    chromium.open(pages["report"])
    chromium.evaluate(
        "{const menu = document.querySelector('.choose select'); menu.value = menu.options[1].value;"
        "menu.dispatchEvent(new Event('change'))}"
    )
    chromium.evaluate(UNFOLD)
    chromium.evaluate("document.querySelector('#figure-learning_curves_loss .enlarge').click()")
    chromium.press("ArrowRight")
    chromium.press("Enter")
    assert violations(chromium) == []
