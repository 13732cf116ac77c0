"""`studies show NAME` prints the plan and the results, and with --trial one trial."""

from pathlib import Path

import pytest

from studies.base.states import Phase
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.planning.plan import Plan
from studies.show import main
from tests.studies.faults.hostile import CONTROLS, EVERYTHING
from tests.studies.results.made import VERDICT, make
from tests.studies.terminal import recorded

Capture = pytest.CaptureFixture[str]


def rows_after(out: str, heading: str) -> list[list[str]]:
    """Return the words of the lines between a heading and the next empty line."""
    lines = out.splitlines()
    below = lines[next(place for place, line in enumerate(lines) if line.startswith(heading)) + 1 :]
    return [line.split() for line in (below[: below.index("")] if "" in below else below)]


def test_a_complete_study_has_its_plan_and_a_row_for_each_cell(complete: StudyRow, capsys: Capture) -> None:
    assert main([recorded.NAME]) == 0
    out = capsys.readouterr().out
    assert out.startswith("tiny_study\nDoes depth help?\n")
    assert "depth 3, 5\n" in out
    assert "learning rate from 0.0001 to 0.1 (log scale)" in out
    assert rows_after(out, "Results (complete)")[2:] == [
        ["1", "3", "0.01", "0.550", "0.650", "90.0", "85.0", "0"],
        ["*", "2", "5", "0.02", "1.351", "1.401", "50.0", "47.5", "1"],
    ]
    assert "* chosen as best in the search" in out
    assert "means over 2 networks" in out
    assert not any(line.endswith(" ") for line in out.splitlines())


def test_the_verdict_of_the_report_and_its_facts_are_shown(
    complete: StudyRow, tmp_path: Path, capsys: Capture
) -> None:
    make(tmp_path / "runs", complete)
    assert main([recorded.NAME]) == 0
    out = capsys.readouterr().out
    sentence, facts = VERDICT["sentence"], VERDICT["facts"]
    assert out.split("Answer\n")[1].splitlines()[:4] == [sentence, *(f"- {fact}" for fact in facts), ""]
    assert main([recorded.NAME, "--json"]) == 0
    verdict = recorded.strict_json(capsys.readouterr().out)["verdict"]
    assert (verdict["sentence"], verdict["facts"], verdict["status"]) == (sentence, facts, "no")
    assert verdict["is_current"] is True


def test_a_verdict_from_before_more_was_recorded_says_so(
    complete: StudyRow, tmp_path: Path, capsys: Capture
) -> None:
    make(tmp_path / "runs", complete, generated_at=complete.created_at.isoformat())
    assert main([recorded.NAME]) == 0
    out = capsys.readouterr().out
    assert "more has been recorded since, make it again: studies report tiny_study" in out
    assert main([recorded.NAME, "--json"]) == 0
    assert recorded.strict_json(capsys.readouterr().out)["verdict"]["is_current"] is False


def test_without_a_report_it_says_how_to_make_one(complete: StudyRow, capsys: Capture) -> None:
    assert main([recorded.NAME]) == 0
    assert "In the report, which is not here: studies report tiny_study" in capsys.readouterr().out
    assert main([recorded.NAME, "--json"]) == 0
    assert recorded.strict_json(capsys.readouterr().out)["verdict"] is None


@pytest.mark.parametrize("text", ["", "[]", '{"verdict": {"sentence": 3}}'])
def test_a_report_that_cannot_be_read_is_none(
    complete: StudyRow, tmp_path: Path, capsys: Capture, text: str
) -> None:
    (make(tmp_path / "runs", complete) / "report.json").write_text(text)
    assert main([recorded.NAME]) == 0
    assert "which is not here" in capsys.readouterr().out


def test_a_hostile_verdict_moves_no_cursor(complete: StudyRow, tmp_path: Path, capsys: Capture) -> None:
    make(
        tmp_path / "runs",
        complete,
        verdict={"sentence": EVERYTHING, "facts": [EVERYTHING], "status": EVERYTHING},
    )
    assert main([recorded.NAME]) == 0
    out = capsys.readouterr().out
    assert not any(control in out for control in CONTROLS)
    assert "DROP TABLE" in out


def test_where_columns_do_not_fit_the_configuration_is_one(
    complete: StudyRow, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "44")
    assert main([recorded.NAME]) == 0
    out = capsys.readouterr().out
    assert "configuration" in out
    assert max(map(len, out[out.index("Results") :].splitlines())) <= 44
    words = " ".join(out.split())
    for score in ("0.550", "0.650", "1.351", "1.401"):
        assert score in words


def test_before_the_confirm_phase_it_says_how_far_the_search_is(searched: StudyRow, capsys: Capture) -> None:
    assert main([recorded.NAME]) == 0
    assert "None yet: 4 of 4 trials of the search have ended" in capsys.readouterr().out


def test_a_trial_that_is_still_at_work_has_its_state_in_place_of_scores(
    store: Store, searched: StudyRow, capsys: Capture
) -> None:
    recorded.train(store, searched, 5, phase=Phase.CONFIRM, cell=1, depth=3, rate=0.01, losses=(0.5, 0.6))
    recorded.start(store, searched, 6, phase=Phase.CONFIRM, cell=2, depth=5, rate=0.02)
    assert main([recorded.NAME]) == 0
    assert rows_after(capsys.readouterr().out, "Results (running)")[3] == ["*", "2", "5", "0.02", "running"]


def test_a_study_without_cells_shows_its_best_and_the_default(store: Store, capsys: Capture) -> None:
    recorded.add_sweep(store)
    assert main(["sweep"]) == 0
    out = capsys.readouterr().out
    assert [row[:2] for row in rows_after(out, "Results (complete)")[2:]] == [["*", "3"], ["d", "4"]]
    assert "d the stated default, for comparison" in out


def test_json_is_the_plan_and_the_results(complete: StudyRow, capsys: Capture) -> None:
    assert main([recorded.NAME, "--json"]) == 0
    shown = recorded.strict_json(capsys.readouterr().out)
    plan = Plan.from_dict(recorded.NAME, shown["plan"])
    assert shown["plan_hash"] == plan.hash
    assert [(result["cell"], result["num_diverged"]) for result in shown["results"]] == [(1, 0), (2, 1)]


def test_a_stopped_trial_shows_where_asha_stopped_it(complete: StudyRow, capsys: Capture) -> None:
    assert main([recorded.NAME, "--trial", "3"]) == 0
    out = capsys.readouterr().out
    assert "stopped early (ASHA at epoch 1), 1 epoch trained" in out
    assert "depth 3, learning rate 0.0012" in out
    assert rows_after(out, "At the rungs")[1] == [
        "1",
        "0.900",
        "2.900",
        "50.0",
        "%",
        "75.0",
        "%",
        "ASHA",
        "stops",
        "it",
    ]
    assert rows_after(out, "Its networks")[1] == ["0", "0", "0.900", "–", "90.0", "%", "–", "stopped"]


def test_a_confirm_trial_shows_each_network(complete: StudyRow, capsys: Capture) -> None:
    assert main([recorded.NAME, "--trial", "6"]) == 0
    out = capsys.readouterr().out
    assert [row[0] for row in rows_after(out, "At the rungs")[1:]] == ["1", "3"]
    assert "ASHA" not in out
    assert [row[-1] for row in rows_after(out, "Its networks")[1:]] == ["complete", "diverged"]


def test_asha_has_no_word_on_the_last_rung(complete: StudyRow, capsys: Capture) -> None:
    assert main([recorded.NAME, "--trial", "1"]) == 0
    first, last = rows_after(capsys.readouterr().out, "At the rungs")[1:]
    assert first[-5:] == ["ASHA", "lets", "it", "go", "on"]
    assert last[-1] == "%"


def test_a_failed_trial_shows_its_error_which_moves_no_cursor(complete: StudyRow, capsys: Capture) -> None:
    assert main([recorded.NAME, "--trial", "4"]) == 0
    out = capsys.readouterr().out
    assert "Traceback (most recent call last):" in out
    assert "ValueError: \ufffd[2Jno such luck" in out


def test_json_of_a_trial(complete: StudyRow, capsys: Capture) -> None:
    assert main([recorded.NAME, "--trial", "6", "--json"]) == 0
    trial = recorded.strict_json(capsys.readouterr().out)
    assert (trial["trial"], trial["phase"], trial["state"]) == (6, "confirm", "complete")
    assert [network["outcome"] for network in trial["replicates"]] == ["complete", "diverged"]
    assert trial["replicates"][1]["val_loss"] is None
    assert [rung["epoch"] for rung in trial["rungs"]] == [1, 3]


def test_an_unknown_trial_or_study_is_one_message(complete: StudyRow, capsys: Capture) -> None:
    assert main([recorded.NAME, "--trial", "99"]) == 2
    assert "no such trial in tiny_study; its last one is trial 6" in capsys.readouterr().err
    assert main(["nothing"]) == 2
    assert "tiny_study" in capsys.readouterr().err
