"""Exploring a page in a real browser: values by mouse, touch and keyboard, highlighting, figures opened large."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from reports.inputs.inputs import ReportInputs
from reports.pages.page import write_report
from reports.pages.trial_page import write_trial_page
from tests.browser import Browser
from tests.reports.explored import given_to
from tests.reports.odd_inputs import SMALL
from tests.reports.sample import sample_inputs

WIDE, PHONE = (1280, 800), (400, 850)
HOSTILE = "</script><img src=x onerror=alert(1)>|\"'"
TIP = "document.querySelector('.mark-tip:popover-open')?.textContent ?? null"
PANEL = "document.querySelector('.mark-panel:popover-open')?.textContent ?? null"
READER = "#figure-learning_curves_loss .reader"


@pytest.fixture(scope="module")
def inputs() -> ReportInputs:
    """A small study, one level of which has a name that would end a script and start another."""
    study = sample_inputs({**SMALL, "optimizer": ("sgd", "adam")}, num_blocks=3, rates=2)
    rename = {"adam": HOSTILE}
    frames = {
        name: getattr(study, name).assign(optimizer=getattr(study, name)["optimizer"].replace(rename))
        for name in ("trials", "replicates")
    }
    factors = {**study.factors, "optimizer": ("sgd", HOSTILE)}
    nuisances = {"learning_rate": {"sgd": {"low": 3e-3, "high": 0.5}, HOSTILE: {"low": 3e-4, "high": 0.03}}}
    plan = {**study.plan, "factors": {**study.plan["factors"], "optimizer": ["sgd", HOSTILE]}}
    return replace(study, factors=factors, plan={**plan, "nuisances": nuisances}, **frames)


@pytest.fixture(scope="module")
def page(inputs: ReportInputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its report."""
    return write_report(inputs, tmp_path_factory.mktemp("report"))


class Spot(NamedTuple):
    """A place in the window."""

    x: float
    y: float


def opened(chromium: Browser, page: Path, size: tuple[int, int] = WIDE) -> None:
    """Open a page with every part unfolded and without motion."""
    chromium.resize(*size)
    chromium.show_in("light")
    chromium.open(page)
    chromium.evaluate("document.querySelectorAll('main details').forEach((each) => (each.open = true))")


def shown(chromium: Browser, figure: str, panel: int, x: float, y: float) -> Spot:
    """Scroll to a panel; the place in the window of a place in it, in points."""
    svg = f"document.querySelectorAll('#figure-{figure} svg[data-marks]')[{panel}]"
    chromium.evaluate(f"{svg}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
    chromium.settled("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    box = json.loads(chromium.evaluate(f"JSON.stringify({svg}.getBoundingClientRect())"))
    scale = box["width"] / float(chromium.evaluate(f"{svg}.viewBox.baseVal.width"))
    return Spot(box["x"] + x * scale, box["y"] + y * scale)


def first_mark(page: Path, heading: str) -> tuple[float, float]:
    """Where the first mark of the panel with this heading stands."""
    told = given_to(page.read_text())
    panel = next(groups for name, groups, _ in told["panels"] if name == heading)
    return panel[0][1][0] / 10, panel[0][2][0] / 10


def until(chromium: Browser, expression: str, words: str) -> str:
    """What the expression gives once these words are in it; a browser shows some things a frame later."""
    for _ in range(100):
        if words in (found := str(chromium.evaluate(expression))):
            return found
        chromium.settled("new Promise((done) => setTimeout(done, 20))")
    raise AssertionError(f"{words!r} is not in {found!r}")


def dimmed(chromium: Browser, figure: str) -> int:
    return int(chromium.evaluate(f"document.querySelectorAll('#figure-{figure} .dim').length"))


def choose(chromium: Browser, value: str) -> None:
    told: Any = json.dumps(value)
    chromium.evaluate(
        f"{{const menu = document.querySelector('.choose select'); menu.value = {told};"
        "menu.dispatchEvent(new Event('change'))}"
    )


def expected(inputs: ReportInputs, depth: int) -> str:
    rows = inputs.replicates
    mine = rows[(rows["phase"] == "confirm") & (rows["depth"] == depth)]
    assert (mine["outcome"] == "complete").all()
    mean = mine.groupby("block")["test_loss"].mean().mean()
    return f"depth {depth}: mean test log-loss {mean:.3f} nats, 95 % interval "


def test_the_mouse_shows_the_value_behind_a_mark_and_nothing_far_from_one(
    inputs: ReportInputs, page: Path, chromium: Browser
) -> None:
    opened(chromium, page)
    assert chromium.evaluate(TIP) is None
    chromium.move_mouse(*shown(chromium, "isolation", 0, *first_mark(page, "Depth")))
    assert str(chromium.evaluate(TIP)).startswith(expected(inputs, SMALL["depth"][0]))
    chromium.move_mouse(*shown(chromium, "isolation", 0, 2, 2))
    assert chromium.evaluate(TIP) is None
    assert chromium.complaints == []


def test_arrow_keys_go_from_value_to_value_and_say_them(
    inputs: ReportInputs, page: Path, chromium: Browser
) -> None:
    opened(chromium, page)
    reader = "document.querySelector('#figure-isolation .reader')"
    said = f"{reader}.getAttribute('aria-valuetext')"
    chromium.press_tab()
    chromium.evaluate(f"{reader}.focus()")
    first, last = SMALL["depth"][0], SMALL["depth"][-1]
    until(chromium, TIP, expected(inputs, first))
    assert str(chromium.evaluate(said)).startswith(expected(inputs, first))
    chromium.press("ArrowRight")
    assert str(chromium.evaluate(said)).startswith(expected(inputs, last))
    chromium.press("ArrowLeft")
    assert str(chromium.evaluate(said)).startswith(expected(inputs, first))
    chromium.press("PageDown")
    second = chromium.evaluate(said)
    assert not str(second).startswith("depth")
    chromium.press("End")
    assert chromium.evaluate(f"{reader}.getAttribute('aria-valuenow')") == chromium.evaluate(
        f"{reader}.getAttribute('aria-valuemax')"
    )
    chromium.press("Home")
    chromium.press("ArrowDown")
    assert "at its best cell" in str(chromium.evaluate(said))
    chromium.press("Escape")
    assert chromium.evaluate(TIP) is None


def test_choosing_a_level_dims_the_others_in_every_figure_and_clear_shows_all(
    page: Path, chromium: Browser
) -> None:
    opened(chromium, page)
    figures = ("isolation", "learning_curves_loss", "gradient_flow_initial", "growth_and_loss", "verdicts")
    assert [dimmed(chromium, each) for each in figures] == [0] * len(figures)
    chromium.move_mouse(*(spot := shown(chromium, "isolation", 0, *first_mark(page, "Depth"))))
    chromium.click(*spot)
    assert "Highlight" in str(chromium.evaluate(PANEL))
    chromium.press("Enter")  # the first offer has the focus
    assert chromium.evaluate(PANEL) is None
    assert all(dimmed(chromium, each) for each in figures)
    veils = "document.querySelectorAll('#figure-heat_map .veils rect').length"
    assert (
        chromium.evaluate(veils)
        == chromium.evaluate("document.querySelectorAll('.choose option').length > 0") * 4
    )
    assert (
        chromium.evaluate("document.querySelector('.choose select').value") == f"=depth\n{SMALL['depth'][0]}"
    )
    assert chromium.evaluate("document.querySelectorAll('tr.lit').length") > 0
    chromium.evaluate("document.querySelector('.choose button').click()")
    assert [dimmed(chromium, each) for each in figures] == [0] * len(figures)
    assert chromium.evaluate(veils) == 0


def test_choosing_a_cell_keeps_its_levels_and_a_verdict_its_networks(page: Path, chromium: Browser) -> None:
    opened(chromium, page)
    choose(chromium, "cell\n1")
    level = "document.querySelectorAll('#figure-isolation svg[data-marks]')[0].querySelectorAll('[data-of]')"
    # Of the first factor's two levels one is the cell's.
    assert chromium.evaluate(
        f"[...{level}].filter((each) => each.matches('.dim')).length * 2 === {level}.length"
    )
    verdicts = "[...document.querySelectorAll('.choose option')].map((each) => each.value)"
    verdicts += ".filter((each) => each.startsWith('verdict'))"
    assert chromium.evaluate(f"{verdicts}.length") > 1
    choose(chromium, chromium.evaluate(f"{verdicts}[0]"))
    assert dimmed(chromium, "isolation") == 0
    assert dimmed(chromium, "growth_and_loss") > 0
    assert dimmed(chromium, "verdicts") > 0


def test_a_tap_opens_what_a_mark_says_and_leads_to_its_trial(page: Path, chromium: Browser) -> None:
    opened(chromium, page, PHONE)
    spot = shown(chromium, "rate_response", 0, *first_mark(page, "SGD"))
    chromium.tap(*spot)
    assert "Page of trial" in until(chromium, PANEL, "learning rate")
    link = chromium.evaluate("document.querySelector('.mark-panel a').getAttribute('href')")
    assert link in page.read_text()
    chromium.press("Escape")
    assert chromium.evaluate(PANEL) is None


def test_a_figure_opens_large_with_its_values_and_closes_where_it_was(page: Path, chromium: Browser) -> None:
    opened(chromium, page)
    figure = "document.querySelector('#figure-learning_curves_loss')"
    button = f"{figure}.querySelector('.enlarge')"
    width = "document.querySelector('svg[data-marks=\"{}\"]').getBoundingClientRect().width"
    number = chromium.evaluate(f"{figure}.querySelector('svg[data-marks]').dataset.marks")
    before = chromium.evaluate(width.format(number))
    chromium.evaluate(f"{button}.focus();{button}.click()")
    assert chromium.evaluate("document.querySelector('dialog').open") is True
    assert chromium.evaluate(width.format(number)) > before
    chromium.press("ArrowRight")
    until(chromium, TIP, "epoch")
    chromium.press("Enter")
    assert "Highlight" in str(chromium.evaluate(PANEL))
    chromium.press("Escape")  # closes the offers; the focus, and with it the value, comes back
    until(chromium, TIP, "epoch")
    chromium.press("Escape")
    assert chromium.evaluate(TIP) is None
    chromium.press("Escape")
    assert chromium.evaluate("document.querySelector('dialog').open") is False
    assert chromium.evaluate(width.format(number)) == before
    assert chromium.evaluate(f"{button} === document.activeElement") is True
    assert chromium.evaluate(f"!!{figure}.querySelector('svg[data-marks]')") is True
    assert chromium.complaints == []


def test_a_hostile_name_is_shown_as_it_is_and_nothing_of_it_runs(page: Path, chromium: Browser) -> None:
    opened(chromium, page)
    choose(chromium, f"=optimizer\n{HOSTILE}")
    assert (
        chromium.evaluate("document.querySelector('.choose select').selectedOptions[0].textContent")
        == HOSTILE
    )
    place = next(
        number
        for number, (name, _, _) in enumerate(given_to(page.read_text())["panels"])
        if name == "Optimizer"
    )
    svg = f"document.querySelector('#figure-isolation svg[data-marks=\"{place}\"]')"
    chromium.evaluate(f"{svg}.closest('.panels').querySelector('.reader').focus()")
    for _ in range(2):
        chromium.press("PageDown")
    chromium.press("ArrowRight")
    until(chromium, TIP, HOSTILE)
    assert chromium.evaluate("document.querySelectorAll('main img[onerror], .mark-tip img').length") == 0
    assert chromium.complaints == []


def test_without_script_the_page_has_every_figure_and_nothing_of_no_use(
    page: Path, chromium: Browser
) -> None:
    chromium.allow_scripts(False)
    try:
        chromium.open(page)
        assert chromium.evaluate("document.querySelectorAll('figure svg[data-marks]').length") > 20
        for added in (".choose", ".enlarge", ".reader", ".mark-tip", "dialog"):
            assert chromium.evaluate(f"document.querySelectorAll('{added}').length") == 0
    finally:
        chromium.allow_scripts(True)


def test_on_paper_nothing_is_dimmed_and_no_control_is_printed(page: Path, chromium: Browser) -> None:
    opened(chromium, page)
    choose(chromium, "cell\n1")
    chromium.show_as("print")
    try:
        opacities = "[...new Set([...document.querySelectorAll('.dim')].map((each) => getComputedStyle(each).opacity))]"
        assert chromium.evaluate(opacities) == ["1"]
        for added in (".contents", ".enlarge", ".veils"):
            shown_as = (
                f"[...document.querySelectorAll('{added}')].map((each) => getComputedStyle(each).display)"
            )
            assert {*chromium.evaluate(shown_as)} == {"none"}
    finally:
        chromium.show_as("")


def test_a_trials_page_shows_its_values_too(inputs: ReportInputs, tmp_path: Path, chromium: Browser) -> None:
    number = int(inputs.trials["number"].max())
    opened(chromium, write_trial_page(inputs, number, tmp_path))
    chromium.evaluate("document.querySelector('.reader').focus()")
    chromium.press("ArrowRight")
    until(chromium, TIP, "mean training log-loss, epoch 2")
    assert chromium.complaints == []
