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
    frames(chromium)
    box = json.loads(chromium.evaluate(f"JSON.stringify({svg}.getBoundingClientRect())"))
    scale = box["width"] / float(chromium.evaluate(f"{svg}.viewBox.baseVal.width"))
    return Spot(box["x"] + x * scale, box["y"] + y * scale)


def first_mark(page: Path, heading: str) -> tuple[float, float]:
    """Where the first mark of the panel with this heading stands."""
    told = given_to(page.read_text())
    panel = next(groups for name, groups, _ in told["panels"] if name == heading)
    return panel[0][1][0] / 10, panel[0][2][0] / 10


def first_mark_of(chromium: Browser, page: Path, figure: str) -> tuple[float, float]:
    """Where the first mark of a figure stands."""
    number = chromium.evaluate(f"document.querySelector('#figure-{figure} svg[data-marks]').dataset.marks")
    group = given_to(page.read_text())["panels"][int(number)][1][0]
    return group[1][0] / 10, group[2][0] / 10


def frames(chromium: Browser) -> None:
    """Wait until what was asked for is drawn."""
    chromium.settled("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


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


def test_rows_and_differences_are_dimmed_by_the_rule_of_the_figure_beside_them(
    page: Path, chromium: Browser
) -> None:
    opened(chromium, page)
    first, last = SMALL["depth"][0], SMALL["depth"][-1]
    choose(chromium, f"=depth\n{first}")
    rows = "[...document.querySelectorAll('{}')].map((row) => row.cells[0].textContent)"
    lit, dim = (set(chromium.evaluate(rows.format(state))) for state in ("tr.lit", "tr.dim"))
    assert f"depth {first}" in lit
    assert f"depth {last}" in dim
    assert not {each for each in lit | dim if each.startswith("dropout") and "depth" not in each} - {
        "dropout"
    }
    # The only difference of depth is of both its levels; those of other factors are nobody's, whatever their cell.
    assert f"depth: {last} − {first}" in lit
    assert dimmed(chromium, "forest_at_best") == 0
    assert dimmed(chromium, "interaction") > 0


def test_a_figure_that_a_choice_tells_nothing_of_says_so_and_stays_as_it_is(
    page: Path, chromium: Browser
) -> None:
    opened(chromium, page)
    note = "document.querySelector('#figure-{} > .unmarked:not([hidden])')?.textContent ?? null"
    assert chromium.evaluate("document.querySelectorAll('.unmarked').length") == 0
    choose(chromium, "verdict\nSTABLE")
    assert chromium.evaluate(note.format("isolation")) == "Not told apart by verdict."
    assert chromium.evaluate(note.format("growth_and_loss")) is None
    choose(chromium, f"=depth\n{SMALL['depth'][0]}")
    assert chromium.evaluate(note.format("isolation")) is None
    cells = "[...document.querySelectorAll('.choose option')].map((each) => each.value)"
    cells += ".filter((each) => each.startsWith('cell'))"
    won = "document.querySelector('#figure-lottery svg').querySelectorAll('.dim').length"
    notes = {}
    for cell in chromium.evaluate(cells):
        choose(chromium, cell)
        notes[cell] = chromium.evaluate(note.format("lottery"))
        assert notes[cell] is None or chromium.evaluate(won) == 0
    assert None in notes.values()
    assert any(str(said).startswith("Nothing ") for said in notes.values())
    choose(chromium, "")
    assert chromium.evaluate("document.querySelectorAll('.unmarked:not([hidden])').length") == 0


def test_of_a_panel_of_others_everything_drawn_is_dimmed(page: Path, chromium: Browser) -> None:
    opened(chromium, page)
    choose(chromium, "cell\n1")
    assert chromium.evaluate("document.querySelectorAll('main svg.dim path').length") > 0
    most = chromium.evaluate(
        """(() => {
        const own = (each) => getComputedStyle(each).opacity;
        const seen = (each) => (each.localName === "svg" ? 1 : own(each) * seen(each.parentElement));
        const drawn = [...document.querySelectorAll("main svg.dim :is(path, use)")];
        return Math.max(...drawn.filter((each) => !each.closest("defs")).map(seen));
      })()"""
    )
    assert most < 0.2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dimmed_words_can_be_read(page: Path, chromium: Browser, scheme: str) -> None:
    opened(chromium, page)
    chromium.show_in(scheme)
    choose(chromium, "cell\n1")
    least = chromium.evaluate(
        """(() => {
        const channels = (colour) => {
          const numbers = colour.match(/[0-9.]+/g).map(Number).slice(0, 3);
          return colour.startsWith("rgb") ? numbers.map((each) => each / 255) : numbers;
        };
        const light = (colour) => channels(colour)
          .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
          .reduce((sum, each, at) => sum + each * [0.2126, 0.7152, 0.0722][at], 0);
        const ground = light(getComputedStyle(document.body).backgroundColor);
        const contrast = (colour) => {
          const [low, high] = [light(colour), ground].sort((a, b) => a - b);
          return (high + 0.05) / (low + 0.05);
        };
        const seen = (each) => each.closest("g,svg,tr") && getComputedStyle(each.closest("g")).opacity;
        const words = [...document.querySelectorAll("main svg.dim text, main svg .dim text")];
        const rows = [...document.querySelectorAll("tr.dim")];
        return Math.min(
          ...words.map((each) => Number(seen(each)) * contrast(getComputedStyle(each).fill)),
          ...rows.map((each) => contrast(getComputedStyle(each).color) - 1.5),
        );
      })()"""
    )
    assert least >= 3
    chromium.show_in("light")


def test_offers_go_away_with_their_mark_and_do_not_cover_it(page: Path, chromium: Browser) -> None:
    opened(chromium, page, PHONE)
    spot = shown(chromium, "heat_map", 0, *first_mark_of(chromium, page, "heat_map"))
    chromium.tap(*spot)
    until(chromium, PANEL, "the last layer")
    box = json.loads(
        chromium.evaluate("JSON.stringify(document.querySelector('.mark-panel').getBoundingClientRect())")
    )
    assert not (box["top"] <= spot.y <= box["bottom"] and box["left"] <= spot.x <= box["right"])
    assert box["height"] <= PHONE[1] / 2
    chromium.evaluate("scrollBy({top: 1.5 * innerHeight, behavior: 'instant'})")
    there = chromium.evaluate("scrollY")
    until(chromium, PANEL, "None")
    frames(chromium)
    assert chromium.evaluate("scrollY") == there


def test_page_keys_go_from_box_to_box_and_the_keys_are_told_once(page: Path, chromium: Browser) -> None:
    opened(chromium, page)
    reader = "document.querySelector('#figure-heat_map .reader')"
    said = f"{reader}.getAttribute('aria-valuetext')"
    chromium.press_tab()
    chromium.evaluate(f"{reader}.focus()")
    assert "page keys" in until(chromium, TIP, "times the last layer's gradient")
    first = str(chromium.evaluate(said))
    assert "page keys" not in first
    chromium.press("PageDown")
    second = str(chromium.evaluate(said))
    assert second.partition(", layer")[0] != first.partition(", layer")[0]
    assert "page keys" not in str(chromium.evaluate(TIP))
    chromium.press("PageUp")
    assert chromium.evaluate(said) == first
    chromium.evaluate("scrollBy({top: 2 * innerHeight, behavior: 'instant'})")
    until(chromium, TIP, "None")
    chromium.evaluate("document.activeElement.blur()")
    chromium.evaluate(f"{reader}.focus()")
    assert "page keys" not in until(chromium, TIP, "times the last layer's gradient")


def test_cells_are_named_so_that_a_narrow_menu_tells_them_apart(page: Path, chromium: Browser) -> None:
    opened(chromium, page)
    groups = "[...document.querySelectorAll('.choose optgroup')].map((each) => each.label)"
    assert [each for each in chromium.evaluate(groups) if each.startswith("cells")] == [
        f"cells of depth {depth}" for depth in SMALL["depth"]
    ]
    names = "[...document.querySelectorAll('.choose optgroup[label^=cells] option')].map((each) => each.textContent)"
    assert all(str(name).split(":")[0].isdigit() for name in chromium.evaluate(names))


def test_a_fold_that_opens_leaves_its_own_section_marked(page: Path, chromium: Browser) -> None:
    chromium.resize(*WIDE)
    chromium.show_in("light")
    chromium.open(page)
    fold = "document.querySelector('#performance-tables')"
    current = "document.querySelector('.following a[aria-current]').hash"
    # The section after it begins in the upper third of the window; then the fold pushes it down, and nothing scrolls.
    chromium.evaluate(
        f"scrollTo({{top: scrollY + {fold}.getBoundingClientRect().top - 20, behavior: 'instant'}})"
    )
    assert until(chromium, current, "#stability") == "#stability"
    chromium.evaluate(f"{fold}.querySelectorAll('details').forEach((each) => (each.open = true))")
    chromium.evaluate(f"{fold}.open = true")
    assert until(chromium, current, "#performance") == "#performance"


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
        rows = "[...document.querySelectorAll('tr.lit')]"
        shades = f"[...new Set({rows}.map((each) => getComputedStyle(each).backgroundColor))]"
        assert chromium.evaluate(shades) == ["rgba(0, 0, 0, 0)"]
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
