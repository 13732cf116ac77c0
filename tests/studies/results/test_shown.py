"""A study and its result in a notebook: short texts, a card that holds what is hostile, contrasts, and figures."""

import io
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.axes import Axes

import studies
from reports.pages.told_verdict import ToldVerdict
from studies.base.errors import UsageError
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.execution.session import Result
from studies.report import main as report
from studies.results.report_inputs import load_report
from studies.results.shown import COLUMNS, Card
from tests.studies.results.made import make
from tests.studies.samples.laid_out import lay_out

CELLS = "cells-ab67"
HOSTILE = "<img src=x onerror=alert(1)>\"'&\x1b[2J"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Result]:
    """Return the result of a study that was really trained, as a run gives it."""
    folder = tmp_path_factory.mktemp("shown")
    url = lay_out("plan_4", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert report([CELLS, "--storage", url]) == 0
        path = Path("runs") / CELLS / "report.html"
        yield Result(
            name=CELLS,
            report_path=path,
            report=load_report(path),
            was_complete=False,
            next_look=20,
            notes=("note: give --workers 2",),
            storage=url,
        )


def test_a_result_is_short_and_links_what_it_left(result: Result) -> None:
    assert repr(result).splitlines()[0] == f"result of {result.name} (complete): {result.report['question']}"
    assert len(repr(result)) < 500
    found = result._repr_html_()
    assert f'<a href="runs/{result.name}/report.html" target="_blank">' in found
    assert "give workers=2" in found
    assert "the planned look at 20 blocks" in found
    assert "<script" not in found


def test_its_contrasts_are_those_of_the_report(result: Result) -> None:
    for at_best, key in ((False, "contrasts"), (True, "at_best")):
        frame = result.contrasts(at_best=at_best)
        assert list(frame.columns) == list(COLUMNS)
        assert frame["estimate"].tolist() == [row["estimate"] for row in result.report[key]]
        pd.testing.assert_frame_equal(frame, result.study.contrasts(at_best=at_best))
    assert len(result.contrasts()) > 0


def test_its_figures_can_be_changed_and_are_fresh_each_time(result: Result) -> None:
    figures = result.figures
    there = {path.stem for path in (result.report_path.parent / "figures").glob("*.svg")}
    assert set(figures) == there
    for slug in figures:
        figure = figures[slug]
        assert len(figure.axes) == len(figures._figures[slug].panels)
        assert isinstance(figure.axes[0], Axes)
    figure = figures["isolation"]
    figure.axes[0].set_title("mine")
    file = io.BytesIO()
    figure.savefig(file, format="pdf")
    assert file.getvalue().startswith(b"%PDF")
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert figures["isolation"].axes[0].get_title() == ""
    assert result.figures is figures, "nothing more was recorded"
    assert "isolation: " in repr(figures)
    with pytest.raises(KeyError, match="no such figure; there are isolation"):
        figures["isolatoin"]


def test_a_recorded_study_says_how_far_it_is(store: Store, searched: StudyRow) -> None:
    study = studies.load_study(searched.name)
    assert repr(study) == f"study {searched.name} ({searched.state}): {searched.question}"
    assert "begun have ended" in study._repr_html_()
    store.delete_study(searched.id)
    assert repr(study).startswith(f"study {searched.name} ")
    assert "unknown study" in study._repr_html_()
    with pytest.raises(UsageError):
        study.contrasts()


def test_a_recorded_study_tells_the_verdict_of_its_page(complete: StudyRow, tmp_path: Path) -> None:
    make(tmp_path / "runs", complete)
    study = studies.load_study(complete.name)
    assert "No. Five layers do no better than three." in repr(study)
    assert 'src="data:image/svg+xml;base64,' in study._repr_html_()


def test_nothing_gets_out_of_a_card(tmp_path: Path) -> None:
    folder = tmp_path / "a" / HOSTILE.replace("/", "")
    verdict = ToldVerdict(sentence=HOSTILE, facts=(HOSTILE,), status="no", picture="forest")
    card = Card(
        name=HOSTILE, state="x", question=HOSTILE, verdict=verdict, rows=[(HOSTILE, HOSTILE)], folder=folder
    )
    (folder / "figures").mkdir(parents=True)
    (folder / "figures" / "forest.svg").write_text(f"<svg><script>{HOSTILE}</script></svg>")
    (folder / "report.html").write_text("")
    found = card.html()
    assert "<script" not in found
    assert "onerror" not in found.replace("&lt;img src=x onerror=alert(1)&gt;", "")
    assert "\x1b" not in found + card.text("study")
