"""The page of a study that runs: what it says, when it loads again, and how it looks in a real browser."""

import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reports.pages.live_page import (
    Leader,
    LiveStudy,
    OpenQuestions,
    PhaseProgress,
    Stage,
    TrainingTrial,
    Trouble,
    write_finished,
    write_live,
)
from reports.wording.words import THIN
from tests.accessibility import violations
from tests.browser import Browser

AS_OF = datetime(2026, 3, 9, 14, 5, 7, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'&"
TOLD = LiveStudy(
    study="depth",
    question="Does depth help?",
    stage=Stage.RUNNING,
    as_of=AS_OF,
    phases=[
        PhaseProgress(name="search", ended=12, planned=48),
        PhaseProgress(name="confirm", ended=0, planned=6),
    ],
    trials="8 complete, 3 stopped early, 1 failed",
    networks=(120, 540, 2),
    elapsed_seconds=75.0,
    seconds_left=320.0,
    questions=OpenQuestions(
        after="After look 1 of 2, at 10 blocks: 1 of 3 questions answered.",
        answered=["depth: 5 − 3"],
        open=["Adam − SGD", "dropout: 0.5 − 0.1"],
        goes_on="For the open ones 4 cells are trained on, to 20 blocks.",
    ),
    score="validation log-loss",
    has_cells=True,
    leaders=[Leader(name="depth 5, Adam", tuned="learning rate 0.003", score="0.112 nats", epoch=18)],
    num_leaders=6,
    running=[
        TrainingTrial(number=13, phase="search", epoch=0, configuration="depth 3, SGD, learning rate 0.1")
    ],
    num_running=1,
    failures=[Trouble(number=4, words="ValueError: no")],
    num_failures=1,
    losses=[Trouble(number=7, words="killed, as the node ran low on memory")],
    num_losses=1,
    note=None,
    dashboard=("http://127.0.0.1:8265", "cat /tmp/studies-x/token"),
    report="runs/depth/report.html",
    reported_at=None,
    why=None,
    stop_command="studies stop depth",
    resume_command="studies run depth_study --name depth",
    status_command="studies status depth",
    show_command="studies show depth",
    report_command="studies report depth",
)


def written(folder: Path, **changes: Any) -> str:
    write_live(replace(TOLD, **changes), folder / "live.html")
    return (folder / "live.html").read_text(encoding="utf-8")


def test_it_says_how_far_the_study_is_and_as_of_when(tmp_path: Path) -> None:
    text = written(tmp_path)
    for said in (
        "Does depth help?",
        "2026-03-09 14:05:07 UTC",
        '<progress value="12" max="48"',
        "12 of 48 trials",
        "8 complete, 3 stopped early, 1 failed",
        "120 of 540 have ended, 2 diverged",
        "about 5 min 20",
        "1 of 3 questions answered",
        "Adam − SGD",
        "4 cells are trained on",
        "0.112 nats",
        "not yet",
        "And 5 more: <code>studies show depth</code>",
        "of what is recorded so far <code>studies report depth</code> makes one",
        "starting",
        "ValueError: no",
        "1 worker was lost in this run",
        "cat /tmp/studies-x/token",
        "runs/depth/report.html",
        "studies stop depth",
        "studies run depth_study --name depth",
        "<title>22 % – depth</title>",
    ):
        assert said in text.replace(THIN, " "), said


def test_what_leads_is_called_provisional(tmp_path: Path) -> None:
    text = written(tmp_path)
    assert "Provisional" in text
    assert "Nothing is claimed from this table" in text


@pytest.mark.parametrize("stage", Stage)
def test_it_loads_again_each_minute_while_its_run_lasts(tmp_path: Path, stage: Stage) -> None:
    text = written(tmp_path, stage=stage, why="The run was interrupted.")
    lasts = stage not in (Stage.INTERRUPTED, Stage.FAILED)
    assert ('<meta http-equiv="refresh" content="60">' in text) is lasts
    kept = stage in (Stage.STARTING, Stage.RUNNING)
    assert ("If that time is more than 3 minutes ago" in text) is kept
    assert ("The run was interrupted." in text) is not lasts
    assert "studies run depth_study --name depth" in text


def test_a_study_before_its_first_trial_and_one_without_cells_have_pages(tmp_path: Path) -> None:
    nothing: dict[str, Any] = dict.fromkeys(("leaders", "running", "failures", "losses"), ())
    nothing |= dict.fromkeys(("num_leaders", "num_running", "num_failures", "num_losses"), 0)
    text = written(
        tmp_path, stage=Stage.STARTING, questions=None, seconds_left=None, dashboard=None, **nothing
    )
    assert "Nothing is decided yet" in text
    assert "Ray and its workers are starting" in text
    assert "<table" not in text
    text = written(tmp_path, has_cells=False, phases=[PhaseProgress(name="search", ended=0, planned=0)])
    assert "Leading configurations so far" in text
    assert "tuned to" not in text
    assert "<title>0 % – depth</title>" in text


def test_a_report_that_lies_there_is_linked_with_its_time(tmp_path: Path) -> None:
    assert 'href="report.html"' not in written(tmp_path)
    text = written(tmp_path, reported_at=AS_OF - timedelta(hours=1))
    assert '<a href="report.html">runs/depth/report.html</a>' in text
    assert "2026-03-09 13:05:07 UTC" in text


def hostile() -> dict[str, Any]:
    return {
        "study": HOSTILE,
        "question": HOSTILE,
        "note": HOSTILE,
        "report": HOSTILE,
        "why": HOSTILE,
        "trials": HOSTILE,
        "score": HOSTILE,
        "questions": OpenQuestions(after=HOSTILE, answered=[HOSTILE], open=[HOSTILE], goes_on=HOSTILE),
        "leaders": [Leader(name=HOSTILE, tuned=HOSTILE, score=HOSTILE, epoch=1, confirmed=HOSTILE)],
        "running": [TrainingTrial(number=1, phase=HOSTILE, epoch=1, configuration=HOSTILE)],
        "failures": [Trouble(number=1, words=HOSTILE)],
        "losses": [Trouble(number=1, words=HOSTILE)],
        "dashboard": (f"http://x/{HOSTILE}", HOSTILE),
        "stop_command": HOSTILE,
        "resume_command": HOSTILE,
        "status_command": HOSTILE,
        "show_command": HOSTILE,
        "report_command": HOSTILE,
    }


@pytest.mark.parametrize("stage", Stage)
def test_what_a_user_wrote_is_escaped(tmp_path: Path, stage: Stage) -> None:
    text = written(tmp_path, stage=stage, **hostile())
    assert text.count("<script>") == 1
    assert "alert(1)" in text
    write_finished(tmp_path / "live.html", study=HOSTILE, question=HOSTILE, report="report.html")
    assert (tmp_path / "live.html").read_text(encoding="utf-8").count("<script>") == 1


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    written(tmp_path / "runs" / "depth")
    path = tmp_path / "runs" / "depth" / "live.html"
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent)] == [0o600, 0o700]


def test_the_page_of_a_finished_study_leads_to_its_report_at_once(tmp_path: Path, chromium: Browser) -> None:
    (tmp_path / "report.html").write_text("<title>the report</title>", encoding="utf-8")
    path = tmp_path / "live.html"
    write_finished(path, study="depth", question="Does depth help?", report="report.html")
    first = path.read_bytes()
    write_finished(path, study="depth", question="Does depth help?", report="report.html")
    assert path.read_bytes() == first
    assert b'<a href="report.html">' in first, "for those whose browser does not go on by itself"
    chromium.open(path)
    for _ in range(1000):
        if chromium.evaluate("document.title") == "the report":
            return
    raise AssertionError("it did not lead there")


STALE = "!document.querySelector('[data-stale-after]').hidden"


@pytest.mark.parametrize(("minutes", "is_stale"), [(0, False), (2, False), (4, True)])
def test_a_page_that_its_run_no_longer_writes_says_so_first(
    tmp_path: Path, chromium: Browser, minutes: int, is_stale: bool
) -> None:
    written(tmp_path, as_of=datetime.now(UTC) - timedelta(minutes=minutes))
    chromium.open(tmp_path / "live.html")
    assert chromium.evaluate(STALE) is is_stale
    assert chromium.complaints == [], "the policy refuses something of the page itself"


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_nothing_is_wider_than_the_window(tmp_path: Path, chromium: Browser, width: int) -> None:
    chromium.resize(width, 800)
    long = "x" * 200
    for changes in ({}, hostile(), {"question": long, "study": long, "note": long, "resume_command": long}):
        written(tmp_path, **changes)
        chromium.open(tmp_path / "live.html")
        assert chromium.evaluate("document.documentElement.scrollWidth") <= width
        assert chromium.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_but_that_it_reloads(tmp_path: Path, chromium: Browser, scheme: str) -> None:
    """A page that shows how a run stands reloads itself; once a minute leaves time to read it."""
    write_live(TOLD, tmp_path / "live.html")
    chromium.resize(*((1280, 800) if scheme == "light" else (400, 850)))
    chromium.show_in(scheme)
    chromium.open(tmp_path / "live.html")
    assert [each.partition(" ")[0] for each in violations(chromium)] == ["meta-refresh"]
