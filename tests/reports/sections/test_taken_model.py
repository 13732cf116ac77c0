"""The model on the page: its words and numbers, single examples, and nothing of theirs runs."""

from pathlib import Path

import pytest

from reports.pages.page import write_report
from reports.sections.taken_model import taken_model
from tests.browser import Browser
from tests.reports.examined import HOSTILE, examined, with_model
from tests.reports.odd_inputs import SMALL
from tests.reports.sample import sample_inputs
from tests.reports.sections.contexts import report_context_of


def test_without_a_model_nothing_is_said() -> None:
    assert taken_model(report_context_of(sample_inputs(SMALL, num_blocks=3, rates=2))) is None


def test_it_says_which_network_and_how_sure_it_is() -> None:
    inputs = with_model(sample_inputs(SMALL, num_blocks=3, rates=2), "array")
    section = taken_model(report_context_of(inputs))
    assert section is not None
    said, confidence = (
        section.context[name].replace("\N{NARROW NO-BREAK SPACE}", " ") for name in ("said", "confidence")
    )
    assert said == (
        "It is the median of 3 replicates by validation loss (block 1), not the luckiest. Of the 4 examples of its own "
        "test part it gets 75.0 % right."
    )
    assert confidence == (
        "Its confidence is 80.0 % on average, and below 70 % for 1 prediction (25.0 %). Confidence is off accuracy by "
        "20.0 points on average, and with the stored temperature of 1.50 by 10.0."
    )
    assert [each.is_right for each in section.context["samples"]] == [True, False, True, False]
    curves, reliability = section.figures
    assert curves.data["replicate"].nunique() == 1, "the curves are of that network alone"
    assert reliability.data["count"].sum() == 4


def test_the_latest_record_of_the_best_trial_counts() -> None:
    inputs = sample_inputs(SMALL, num_blocks=3, rates=2)
    report = report_context_of(with_model(with_model(inputs, "image"), "text")).report
    assert report["model"]["kind"] == "text"
    assert report["model"] == examined(inputs, "text")


@pytest.mark.parametrize("kind", ["image", "text", "table"])
def test_the_page_shows_examples_and_runs_nothing_of_theirs(
    kind: str, tmp_path: Path, chromium: Browser
) -> None:
    page = write_report(with_model(sample_inputs(SMALL, num_blocks=3, rates=2), kind), tmp_path)
    chromium.resize(400, 850)
    chromium.open(page)
    assert chromium.complaints == []
    chromium.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    assert chromium.evaluate("document.documentElement.scrollWidth") <= 400
    taken = str(chromium.evaluate("document.getElementById('taken').textContent"))
    assert HOSTILE in taken
    assert taken.count("✓ right") == 2
    assert taken.count("✗") == 4
    pictures = chromium.evaluate(
        "[...document.querySelectorAll('#taken img')].filter((each) => each.naturalWidth).length"
    )
    assert pictures == (6 if kind == "image" else 0)
