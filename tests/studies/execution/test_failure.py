"""A run of which nothing is left, because every trial failed, ends with 1, the first error, and where to see it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from studies.base.states import StudyState, TrialState
from studies.database.store import Store
from studies.execution.preparation import load_dataset, settle
from studies.execution.registration import register
from studies.execution.session import refuse_failure
from studies.planning.command_line import request_of, run_parser
from studies.planning.plan import Plan
from studies.planning.request import draft
from studies.planning.resources import Resources
from studies.run import main
from studies.run_log import run_events
from studies.storage.paths import locate
from tests.studies.command import STUDY
from tests.studies.terminal import recorded

RUN = ["./small.py", "--quiet"]


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """The plan of a small study in an empty folder, where its command is given."""
    for name in ("STUDIES_STORAGE", "STUDIES_OUTPUT", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.py").write_text(STUDY.replace("trials_per_cell=4", "trials_per_cell=1"))
    drafted = draft(request_of(run_parser().parse_args(RUN)))
    plan, _ = settle(drafted, load_dataset(drafted), locate(), Resources())
    return plan


@pytest.fixture
def store(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Its storage, with both search trials failed, and so nothing to confirm."""
    locate().make_storage_folder()
    with Store.open(locate().storage) as opened:
        study = register(opened, plan, request_of(run_parser().parse_args(RUN)), locate())
        monkeypatch.setattr(recorded, "MOMENT", datetime.now(UTC))
        for cell in (1, 2):
            recorded.search(
                opened, study, cell, cell=cell, depth=cell, rate=0.01, loss=0.7, state=TrialState.FAILED
            )
        run_events.note_end(
            opened,
            study.id,
            state=StudyState.COMPLETE,
            looks=1,
            seconds=dict.fromkeys(run_events.SECONDS, 1.0),
        )
        opened.set_study_state(study.id, StudyState.COMPLETE)
        yield opened


def test_it_exits_1_with_the_first_error(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(RUN) == 1
    told = capsys.readouterr().err
    assert "error: every trial of small failed, trial 1 with: ValueError:" in told
    assert "no such luck" in told
    assert "See the whole error: studies show small --trial 1\n" in told
    assert Path("runs/small/report.html").is_file(), "what there is to see is shown"


def test_one_trial_that_did_not_fail_is_something(store: Store) -> None:
    study = store.find_study("small")
    assert study is not None
    recorded.search(store, study, 3, cell=1, depth=1, rate=0.02, loss=0.7)
    refuse_failure(store, study, Path("report.html"), locate())
