"""The list of all studies: in order, with verdict, progress and picture; searched in a real browser."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reports.pages.index import Entry, Standing, write_index
from tests.browser import Browser

AS_OF = datetime(2026, 3, 9, 14, 5, tzinfo=UTC)
PICTURE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="900" height="90" viewBox="0 0 900 90">'
    b'<rect width="900" height="90"/></svg>'
)


def entry(study: str, day: int, **changes: Any) -> Entry:
    fields: dict[str, Any] = {
        "study": study,
        "question": f"Does {study} help?",
        "standing": Standing.COMPLETE,
        "progress": (6, 6),
        "verdict": f"Yes. {study.capitalize()} helps.",
        "created_at": datetime(2026, 3, day, tzinfo=UTC),
        "reported_at": datetime(2026, 3, day, tzinfo=UTC),
        "page": f"{study}/report.html",
    }
    return Entry(**{**fields, **changes})


def unreported(study: str, day: int, standing: Standing, **changes: Any) -> Entry:
    return entry(
        study,
        day,
        standing=standing,
        **{"verdict": "", "page": None, "reported_at": None} | changes,
    )


def written(folder: Path, *entries: Entry) -> str:
    """Write the index, and return it from its body on."""
    write_index(entries, folder / "index.html", as_of=AS_OF)
    return (folder / "index.html").read_text(encoding="utf-8").split("<main")[1]


def test_running_studies_come_first_then_the_newest(tmp_path: Path) -> None:
    text = written(
        tmp_path,
        entry("old", 1),
        unreported("begun", 2, Standing.RUNNING),
        unreported("stopped", 4, Standing.INTERRUPTED),
        entry("new", 3),
    )
    places = [text.index(f"Does {name} help?") for name in ("begun", "stopped", "new", "old")]
    assert places == sorted(places)


def test_a_study_has_its_question_verdict_date_link_and_picture(tmp_path: Path) -> None:
    text = written(tmp_path, entry("depth", 2, picture=PICTURE))
    assert '<a href="depth/report.html">Does depth help?</a>' in text
    assert "Yes. Depth helps." in text
    assert "2026-03-02" in text
    assert "data:image/svg+xml;base64," in text


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        (Standing.RUNNING, "No report yet."),
        (Standing.INTERRUPTED, "The same command goes on from there."),
        (Standing.BROKEN_OFF, "The run ended without a word; the same command goes on from there."),
    ],
)
def test_a_study_that_is_not_complete_says_how_far_it_is_and_when(
    tmp_path: Path, standing: Standing, said: str
) -> None:
    text = written(tmp_path, unreported("depth", 1, standing, progress=(12, 48)))
    assert f">{standing}<" in text
    assert "12 of 48 trials have ended as of 2026-03-09 14:05 UTC." in text
    assert '<progress value="12" max="48"' in text
    assert said in text
    assert "<a href" not in text


def test_a_running_study_leads_to_the_page_of_its_run(tmp_path: Path) -> None:
    text = written(tmp_path, unreported("depth", 1, Standing.RUNNING, live="depth/live.html"))
    assert '<a href="depth/live.html">Does depth help?</a>' in text
    assert '<a href="depth/live.html">How it goes now</a>' in text
    text = written(tmp_path, entry("depth", 1, standing=Standing.RUNNING, live="depth/live.html"))
    assert '<a href="depth/report.html">Does depth help?</a>' in text, "of an earlier look"
    assert '<a href="depth/live.html">How it goes now</a>' in text


def test_a_verdict_from_before_a_study_went_on_says_of_when_it_is(tmp_path: Path) -> None:
    text = written(tmp_path, entry("depth", 1, standing=Standing.RUNNING, progress=(6, 8)))
    assert "The report is of" in text
    assert "2026-03-01 00:00 UTC" in text


def test_a_study_whose_record_cannot_be_read_is_listed(tmp_path: Path) -> None:
    text = written(tmp_path, unreported("depth", 1, Standing.COMPLETE, progress=None))
    assert "Does depth help?" in text
    assert "Its record cannot be read" in text


def test_a_plan_without_trials_draws_no_bar(tmp_path: Path) -> None:
    assert "<progress" not in written(tmp_path, unreported("depth", 1, Standing.RUNNING, progress=(0, 0)))


def test_what_a_user_wrote_is_escaped(tmp_path: Path) -> None:
    hostile = "<script>1</script>"
    text = written(tmp_path, entry(hostile, 1, question=hostile, verdict=hostile, page="x/report.html"))
    assert text.count("&lt;script&gt;1") == 3
    assert text.count("<script>") == 1


def test_an_empty_index_says_so(tmp_path: Path) -> None:
    assert "No study yet." in written(tmp_path)


def test_without_script_the_whole_list_is_there_and_nothing_that_does_nothing(tmp_path: Path) -> None:
    text = written(tmp_path, entry("depth", 1), entry("width", 2)).split("<script>")[0]
    assert "<input" not in text
    assert "hidden>" not in text


def searched(chromium: Browser, words: str) -> list[str]:
    """Type into the search field; return the names that are left."""
    chromium.evaluate(
        f"(() => {{ const field = document.querySelector('input'); field.value = {words!r};"
        "field.dispatchEvent(new Event('input')); })()"
    )
    names: list[str] = chromium.evaluate(
        "[...document.querySelectorAll('article')].filter((each) => each.offsetHeight > 0)"
        ".map((each) => each.querySelector('bdi').textContent)"
    )
    return names


def test_the_list_is_searched_by_words_of_name_question_verdict_and_state(
    tmp_path: Path, chromium: Browser
) -> None:
    write_index(
        [
            entry("depth", 3, picture=PICTURE),
            entry("width", 2, verdict="No. Wider is not better."),
            unreported("gain", 1, Standing.INTERRUPTED),
        ],
        tmp_path / "index.html",
        as_of=AS_OF,
    )
    chromium.open(tmp_path / "index.html")
    assert searched(chromium, "") == ["depth", "width", "gain"]
    assert searched(chromium, "WIDER") == ["width"]
    assert searched(chromium, "does helps.") == ["depth"]
    assert searched(chromium, "interrupted") == ["gain"]
    assert searched(chromium, "nothing") == []
    assert "None has all of these words." in chromium.text
    assert searched(chromium, " ") == ["depth", "width", "gain"]
    assert chromium.complaints == [], "the policy refuses something of the page itself"


def test_the_search_has_a_name_and_comes_first_for_the_keyboard(tmp_path: Path, chromium: Browser) -> None:
    write_index([entry("depth", 3, picture=PICTURE), entry("width", 2)], tmp_path / "index.html", as_of=AS_OF)
    chromium.open(tmp_path / "index.html")
    reached = (
        "[...document.querySelectorAll('a, input')].filter((each) => each.tabIndex >= 0)"
        ".map((each) => each.labels ? each.labels[0].textContent : each.textContent)"
    )
    assert chromium.evaluate(reached) == [
        "Search names, questions, verdicts",
        "Does depth help?",
        "Does width help?",
    ]


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_nothing_is_cut_off_at_any_width(tmp_path: Path, chromium: Browser, width: int) -> None:
    long = "x" * 200
    write_index(
        [entry("depth", 3, picture=PICTURE), entry(long, 2), unreported("gain", 1, Standing.RUNNING)],
        tmp_path / "index.html",
        as_of=AS_OF,
    )
    chromium.resize(width, 800)
    chromium.open(tmp_path / "index.html")
    assert chromium.evaluate("document.documentElement.scrollWidth") <= width
    assert chromium.evaluate("document.querySelector('img').naturalWidth") == 900, "the picture is not shown"
    beside = "document.querySelector('img').getBoundingClientRect().left > innerWidth / 2"
    assert chromium.evaluate(beside) == (width == 1280)
