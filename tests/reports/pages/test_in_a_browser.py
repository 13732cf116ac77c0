"""The page in a real browser: first screen, terms by mouse, keyboard and touch, folded parts by link and print."""

from pathlib import Path

import pytest

from reports.pages.page import write_report
from tests.browser import Browser
from tests.reports.odd_inputs import SMALL
from tests.reports.reported import without_pixels
from tests.reports.sample import sample_inputs

WIDE, PHONE = (1280, 800), (400, 850)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small report."""
    folder = tmp_path_factory.mktemp("report")
    return write_report(sample_inputs(SMALL, num_blocks=3, rates=2), folder)


@pytest.fixture(scope="module")
def long_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with a long table of cells."""
    factors = {"depth": (3, 5, 7), "dropout": (0.1, 0.3, 0.5), "optimizer": ("sgd", "adam")}
    with without_pixels():
        return write_report(
            sample_inputs(factors, num_blocks=2, rates=1), tmp_path_factory.mktemp("long_report")
        )


def test_the_picture_lies_within_the_first_screen(page: Path, chromium: Browser) -> None:
    chromium.resize(*WIDE)
    chromium.open(page)
    bottom = chromium.evaluate(
        "document.querySelector('.picture svg[role=img]').getBoundingClientRect().bottom"
    )
    assert 100 < bottom < WIDE[1]


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_nothing_is_wider_than_the_window(page: Path, chromium: Browser, size: tuple[int, int]) -> None:
    chromium.resize(*size)
    chromium.open(page)
    assert chromium.evaluate("document.documentElement.scrollWidth") <= size[0]
    chromium.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    assert chromium.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_every_term_has_its_explanation_and_its_entry_in_the_glossary(page: Path, chromium: Browser) -> None:
    chromium.open(page)
    orphans = (
        "[...document.querySelectorAll('.term')].filter((term) => "
        "!document.getElementById(term.getAttribute('popovertarget')) || "
        "!document.getElementById(term.getAttribute('popovertarget').replace('tip-', 'term-'))).length"
    )
    assert chromium.evaluate("document.querySelectorAll('.term').length") > 20
    assert chromium.evaluate(orphans) == 0


OPEN = "document.querySelector('.tip:popover-open')?.id ?? null"
TERM = "document.querySelector('main .term')"


@pytest.mark.parametrize("with_scripts", [True, False])
def test_a_click_or_touch_explains_a_term_with_and_without_scripts(
    page: Path, chromium: Browser, with_scripts: bool
) -> None:
    chromium.allow_scripts(with_scripts)
    try:
        chromium.open(page)
        wanted = chromium.evaluate(f"{TERM}.getAttribute('popovertarget')")
        assert chromium.evaluate(OPEN) is None
        chromium.evaluate(f"{TERM}.click()")
        assert chromium.evaluate(OPEN) == wanted
        assert (
            chromium.evaluate("document.querySelector('.tip:popover-open').getBoundingClientRect().left") >= 0
        )
    finally:
        chromium.allow_scripts(True)


def test_the_mouse_and_the_keyboard_explain_a_term_on_arriving(page: Path, chromium: Browser) -> None:
    chromium.open(page)
    wanted = chromium.evaluate(f"{TERM}.getAttribute('popovertarget')")
    event = "new PointerEvent('pointer{}', {{pointerType: 'mouse'}})"
    chromium.evaluate(f"{TERM}.dispatchEvent({event.format('enter')})")
    assert chromium.evaluate(OPEN) == wanted
    chromium.evaluate(f"{TERM}.dispatchEvent({event.format('leave')})")
    assert chromium.evaluate(OPEN) is None
    for _ in range(60):
        chromium.press_tab()
        if chromium.evaluate("document.activeElement.matches('.term')"):
            break
    assert chromium.evaluate(OPEN) == chromium.evaluate(
        "document.activeElement.getAttribute('popovertarget')"
    )


def test_a_link_opens_the_folded_part_that_it_leads_to(page: Path, chromium: Browser) -> None:
    chromium.open(page)
    folded = "document.querySelector('#glossary > details').open"
    assert chromium.evaluate(folded) is False
    chromium.evaluate("document.querySelector('.following a[href=\"#glossary\"]').click()")
    chromium.evaluate("new Promise((done) => setTimeout(done, 50))")
    chromium.open(page, hash_="stability-tables")
    assert chromium.evaluate("document.querySelector('#stability-tables').open") is True
    chromium.open(page, hash_="glossary")
    assert chromium.evaluate(folded) is True


def test_everything_is_open_on_paper_and_folded_again_afterwards(page: Path, chromium: Browser) -> None:
    chromium.open(page)
    closed = "document.querySelectorAll('details:not([open])').length"
    before = chromium.evaluate(closed)
    assert before > 5
    chromium.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert chromium.evaluate(closed) == 0
    chromium.evaluate("dispatchEvent(new Event('afterprint'))")
    assert chromium.evaluate(closed) == before


def test_no_script_is_needed_to_print_what_is_folded(page: Path, chromium: Browser) -> None:
    chromium.allow_scripts(False)
    try:
        chromium.open(page)
        chromium.show_as("print")
        assert chromium.evaluate("document.documentElement.scrollHeight") > 10_000  # lays the page out anew
        hidden = (
            "[...document.querySelectorAll('details .said li, details td')]"
            ".filter((each) => !each.checkVisibility({contentVisibilityAuto: true})).length"
        )
        assert chromium.evaluate(hidden) == 0
    finally:
        chromium.show_as("")
        chromium.allow_scripts(True)


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_a_small_study_is_a_short_page(page: Path, chromium: Browser, size: tuple[int, int]) -> None:
    # Two thirds of what the default study's page may take.
    most = {WIDE: 6_000, PHONE: 10_600}[size]
    chromium.resize(*size)
    chromium.open(page)
    assert chromium.evaluate("document.documentElement.scrollHeight") < most


def test_every_section_has_its_heading_on_paper_and_units_are_no_larger_than_what_they_are_of(
    page: Path, chromium: Browser
) -> None:
    chromium.open(page)
    chromium.show_as("print")
    try:
        low = (
            "[...document.querySelectorAll('section:not(#answer) > h2, section summary > h2')]"
            ".map((each) => each.getBoundingClientRect().height)"
        )
        heights = chromium.evaluate(low)
        assert len(heights) == chromium.evaluate("document.querySelectorAll('main section').length - 1")
        assert min(heights) > 10
        larger = (
            "[...document.querySelectorAll('th .unit')].filter((unit) => parseFloat(getComputedStyle(unit)"
            ".fontSize) > parseFloat(getComputedStyle(unit.parentElement).fontSize)).length"
        )
        assert chromium.evaluate(larger) == 0
    finally:
        chromium.show_as("")


def test_what_lies_in_a_group_is_indented_alike_and_links_of_a_figure_stand_at_its_edge(
    page: Path, chromium: Browser
) -> None:
    chromium.resize(*WIDE)
    chromium.open(page)
    chromium.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    lefts = (
        "[...document.querySelectorAll('.group')].map((group) => [...group.children]"
        ".filter((each) => each.matches('.table')).map((each) => each.getBoundingClientRect().left))"
    )
    groups = chromium.evaluate(lefts)
    assert any(len(group) > 1 for group in groups)
    assert [group for group in groups if len(set(group)) > 1] == []
    first = "getComputedStyle(document.querySelector('.links a')).marginLeft"
    assert chromium.evaluate(first) == "0px"


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_a_long_table_keeps_its_head_in_sight_and_marks_the_row_arrived_at(
    long_page: Path, chromium: Browser, size: tuple[int, int]
) -> None:
    chromium.resize(*size)
    chromium.open(long_page, hash_="cell-9")
    chromium.settled("new Promise((done) => setTimeout(done, 300))")
    row = "document.getElementById('cell-9')"
    assert chromium.evaluate(f"{row}.matches(':target')")
    colour = "getComputedStyle({}.cells[1]).backgroundColor"
    other = colour.format("document.getElementById('cell-10')")
    assert chromium.evaluate(colour.format(row)) != chromium.evaluate(other)
    head = f"{row}.closest('table').tHead.rows[0].cells[0].getBoundingClientRect()"
    bottom, top = chromium.evaluate(f"[{head}.bottom, {row}.getBoundingClientRect().top]")
    assert 0 < bottom <= top + 1
    if size == WIDE:
        scroller = f"{row}.closest('.scroll')"
        assert chromium.evaluate(f"{scroller}.scrollWidth <= {scroller}.clientWidth"), "a column is cut"
