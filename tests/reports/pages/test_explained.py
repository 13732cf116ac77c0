"""Terms on a page: marked where they first appear in a section, codes wherever they stand, hostile text as text."""

from markupsafe import escape

from reports.pages.explained import Explained
from tests.reports.elements import Elements


def marked(explained: Explained, text: str) -> list[str]:
    """What the buttons in the marked text explain."""
    buttons = Elements(str(explained.mark(text))).all("button")
    return [str(button["popovertarget"]).removeprefix("tip-") for button in buttons]


def test_a_term_is_marked_once_in_a_section_and_a_code_each_time() -> None:
    explained = Explained()
    assert marked(explained, "Ten blocks, DIRECTION.") == ["block", "gate-direction"]
    assert marked(explained, "Of these blocks, DIRECTION again.") == ["gate-direction"]
    explained.begin()
    assert marked(explained, "The blocks.") == ["block"]
    assert [term.slug for term in explained.used] == ["gate-direction", "block"]


def test_a_hidden_block_is_no_block_of_data() -> None:
    assert marked(Explained(), "from one hidden block to the next, growth per block") == ["growth"]


def test_marking_changes_no_word_of_a_text() -> None:
    text = "Each at its best cell, the log-loss is lower by 0.1 nats (described), p = 0.03: 5 % of cells."
    shown = "".join(Elements(str(Explained().mark(text))).text)
    assert shown.replace("\u00a0", " ") == text


def test_brackets_and_commas_stay_with_their_term() -> None:
    assert '<span class="kept">(<button' in str(Explained().mark("(described, not claimed)"))
    assert "kept" not in str(Explained().mark("some cells are"))


def test_hostile_text_stays_text() -> None:
    evil = "<img src=x onerror=alert(1)> \"' cells </button> STABLE {{ 7 * 7 }}"
    explained = Explained()
    found = Elements(str(explained.mark(evil)))
    assert {tag for tag, _ in found.tags} == {"button"}
    assert "".join(found.text) == evil
    assert explained.code(evil) == escape(evil)


def test_a_code_alone_is_a_button_that_names_its_explanation() -> None:
    (button,) = Elements(str(Explained().code("EQUIVALENT"))).all("button")
    assert button["popovertarget"] == button["aria-describedby"] == "tip-gate-equivalent"
    assert "Practically equal" in str(button["title"])
