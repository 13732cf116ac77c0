"""`studies report`: two names set two studies side by side, --trial writes one trial's page."""

from pathlib import Path

import pytest

from reports.inputs.inputs import ReportInputs
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.report import main
from studies.results import report_inputs
from tests.studies.terminal import recorded


def test_two_names_make_one_page_of_both(
    store: Store,
    complete: StudyRow,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def write(first: ReportInputs, second: ReportInputs, folder: Path) -> Path:
        assert (first.study, second.study) == ("tiny_study", "another")
        assert len(first.trials) == 6
        return folder / "comparison.html"

    recorded.add_study(store, name="another")
    monkeypatch.setattr(report_inputs, "write_comparison", write)
    assert main(["tiny_study", "another"]) == 0
    page = tmp_path / "runs" / "tiny_study-and-another" / "comparison.html"
    assert Path(capsys.readouterr().out.strip()) == page


@pytest.mark.parametrize(
    ("names", "said"), [(["tiny_study", "tiny_study"], "named twice"), (["tiny_study", "anther"], "anther")]
)
def test_a_study_named_twice_or_unknown_is_refused(
    names: list[str], said: str, complete: StudyRow, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(names) == 2
    assert said in capsys.readouterr().err


def test_one_trial_has_a_page_of_its_own(
    complete: StudyRow, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tiny_study", "--trial", "6"]) == 0
    page = tmp_path / "runs" / "tiny_study" / "trials" / "trial-6.html"
    assert Path(capsys.readouterr().out.strip()) == page
    assert "trial 6" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"), [(["--trial", "7"], "trials 1 to 6"), (["another", "--trial", "1"], "one study")]
)
def test_a_trial_that_is_not_there_is_refused_with_those_that_are(
    arguments: list[str], said: str, complete: StudyRow, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tiny_study", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["another", "--bundle", "x.zip"], "--bundle packs one study"),
        (["--trial", "6", "--bundle", "x.zip"], "the pages of its confirmed trials included"),
    ],
)
def test_a_bundle_is_of_one_whole_study(
    arguments: list[str], said: str, complete: StudyRow, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tiny_study", *arguments]) == 2
    found = capsys.readouterr().err
    assert said in found
    assert "Leave out" in found


def test_the_path_alone_goes_to_standard_output_and_how_to_share_beside_it(
    complete: StudyRow, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "runs" / "tiny_study" / "report.html"
    monkeypatch.setattr("studies.verification.damage.refuse_damaged", lambda *_, **__: None)
    monkeypatch.setattr(report_inputs.Findings, "of", lambda *_: None)
    monkeypatch.setattr(report_inputs, "make_report", lambda *_, **__: page)
    assert main(["tiny_study"]) == 0
    loud = capsys.readouterr()
    assert loud.out == f"{page}\n"
    assert "studies report tiny_study --bundle tiny_study.zip" in loud.err
    assert main(["tiny_study", "--quiet"]) == 0
    quiet = capsys.readouterr()
    assert (quiet.out, quiet.err) == (loud.out, "")
