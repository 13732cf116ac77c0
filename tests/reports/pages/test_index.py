"""The index of all studies: questions, answers and dates, escaped and safe."""

from datetime import UTC, datetime
from pathlib import Path

from reports.pages.index import Entry, write_index


def entry(study: str, day: int, **changes: object) -> Entry:
    fields: dict[str, object] = {
        "study": study,
        "question": f"Does {study} help?",
        "state": "complete",
        "answer": "It does.",
        "created_at": datetime(2026, 3, day, tzinfo=UTC),
        "page": f"{study}/report.html",
    }
    return Entry(**{**fields, **changes})  # type: ignore[arg-type]


def test_the_newest_study_comes_first_with_its_question_answer_and_date(tmp_path: Path) -> None:
    write_index([entry("old", 1), entry("new", 2)], tmp_path / "index.html")
    text = (tmp_path / "index.html").read_text()
    assert text.index("Does new help?") < text.index("Does old help?")
    assert 'href="new/report.html"' in text
    assert "It does." in text
    assert "2026-03-02" in text


def test_what_a_user_wrote_is_escaped_and_a_study_without_a_page_has_no_link(tmp_path: Path) -> None:
    write_index(
        [entry("x", 1, question="<script>1</script>", page=None, state="running")], tmp_path / "index.html"
    )
    text = (tmp_path / "index.html").read_text()
    assert "&lt;script&gt;" in text
    assert "<a href" not in text.split("<main")[1]
    assert "running" in text


def test_an_empty_index_says_so(tmp_path: Path) -> None:
    write_index([], tmp_path / "index.html")
    assert "No study has a report yet" in (tmp_path / "index.html").read_text()


def test_an_entry_comes_from_a_report() -> None:
    report = {
        "study": "depth",
        "question": "Does depth help?",
        "state": "complete",
        "created_at": "2026-03-01T00:00:00+00:00",
        "answer": [{"sentence": "Yes.", "gate": "DIRECTION"}, {"sentence": "By far.", "gate": "MEANINGFUL"}],
        "found": "Depth 3.",
    }
    assert Entry.of(report, "depth/report.html").answer == "Yes. By far."
    assert Entry.of({**report, "answer": []}, None).answer == "Depth 3."
