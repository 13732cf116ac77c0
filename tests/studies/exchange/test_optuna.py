"""`studies export --optuna`: Optuna itself opens what was exported, and finds the recorded values."""

import collections
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState

from studies.base.states import Phase
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.exchange.optuna import _holds
from studies.export import main
from studies.results.recorded import RecordedStudy
from tests.studies.exchange.conftest import CELLS
from tests.studies.terminal import recorded

TARGET = ("--optuna", "sqlite:///optuna.db")
DATABASE = TARGET[1]


def load(name: str) -> optuna.Study:
    """Return an exported study as a user opens it."""
    return optuna.load_study(study_name=name, storage=DATABASE)


def test_optuna_opens_it_with_the_recorded_values(cells: RecordedStudy) -> None:
    assert main([CELLS, *TARGET]) == 0
    assert optuna.get_all_study_names(DATABASE) == [CELLS, f"{CELLS}-confirm"]
    frame = cells.trials().set_index("trial_number")
    with Store.open(cells.storage) as store:
        rungs = store.rung_results(cells.row.id)
    exported = [*load(CELLS).trials, *load(f"{CELLS}-confirm").trials]
    assert sorted(trial.user_attrs["trial"] for trial in exported) == list(frame.index)
    for trial in exported:
        row = frame.loc[trial.user_attrs["trial"]]
        assert trial.state is TrialState.COMPLETE
        assert trial.value == row["objective"]
        assert trial.params == {"depth": row["depth"], "learning_rate": row["learning_rate"]}
        assert trial.user_attrs["cell"] == row["cell"]
        assert trial.user_attrs["phase"] == row["phase"]
        assert trial.datetime_start is not None
        assert trial.datetime_start.astimezone() == row["started_at"]
        assert isinstance(trial.distributions["depth"], CategoricalDistribution)
        assert isinstance(trial.distributions["learning_rate"], FloatDistribution)
        if row["phase"] == "search":
            mine = [rung for rung in rungs if rung.trial_number == row.name]
            assert trial.intermediate_values == {rung.epoch: rung.objective for rung in mine}
    assert load(CELLS).direction is optuna.study.StudyDirection.MINIMIZE
    search = frame[frame["phase"] == "search"]
    assert load(CELLS).best_value == search["objective"].min()


def test_confirm_trials_have_the_mean_of_their_networks_by_epoch(cells: RecordedStudy) -> None:
    assert main([CELLS, *TARGET]) == 0
    epochs = cells.epochs()
    for trial in load(f"{CELLS}-confirm").trials:
        mine = epochs[epochs["trial_number"] == trial.user_attrs["trial"]]
        assert trial.intermediate_values == pytest.approx(mine.groupby("epoch")["val_loss"].mean().to_dict())


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_optuna_computes_importances_of_it(storage: str) -> None:
    assert main(["looks", *TARGET]) == 0
    study = load("looks")
    shares = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    assert set(shares) == {"depth", "learning_rate"}


def test_a_second_export_adds_nothing(cells: RecordedStudy) -> None:
    assert main([CELLS, *TARGET]) == 0
    before = Path("optuna.db").read_bytes()
    assert main([CELLS, *TARGET]) == 0
    assert Path("optuna.db").read_bytes() == before


def test_states_are_true_and_go_on_when_the_study_has(
    store: Store, searched: StudyRow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    more = recorded.add_study(store, name="going_on")
    recorded.search(store, more, 1, cell=1, depth=3, rate=0.01, loss=0.5)
    recorded.start(store, more, 2, phase=Phase.SEARCH, cell=2, depth=5, rate=0.02)
    assert main(["tiny_study", *TARGET]) == main(["going_on", *TARGET]) == 0
    states = collections.Counter(trial.state for trial in load("tiny_study").trials)
    assert states == {TrialState.COMPLETE: 2, TrialState.PRUNED: 1, TrialState.FAIL: 1}
    pruned = next(trial for trial in load("tiny_study").trials if trial.state is TrialState.PRUNED)
    assert (pruned.value, pruned.intermediate_values) == (0.9, {1: 0.9})
    failed = next(trial for trial in load("tiny_study").trials if trial.state is TrialState.FAIL)
    assert "no such luck" in failed.user_attrs["error"]
    assert [trial.state for trial in load("going_on").trials] == [TrialState.COMPLETE, TrialState.RUNNING]
    recorded.search(store, more, 2, cell=2, depth=5, rate=0.02, loss=0.4)
    assert main(["going_on", *TARGET]) == 0
    ended = load("going_on").trials[1]
    assert len(load("going_on").trials) == 2
    assert (ended.state, ended.value, ended.intermediate_values) == (
        TrialState.COMPLETE,
        0.4,
        {1: 0.4, 3: 0.4},
    )


def test_a_study_without_cells_and_a_default_outside_its_ranges(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recorded.add_sweep(store)
    assert main(["sweep", *TARGET]) == 0
    assert len(load("sweep").trials) == 2
    assert "cell" not in load("sweep").trials[0].user_attrs
    assert not _holds(FloatDistribution(0.1, 1.0), 2.0)


def test_an_optuna_study_of_that_name_is_left_alone(cells: RecordedStudy) -> None:
    optuna.create_study(study_name=CELLS, storage=DATABASE)
    assert main([CELLS, *TARGET]) == 0
    assert load(CELLS).trials == []
    assert len(load(f"{CELLS}-2").trials) == 4


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("optuna.db", "no address of a database"),
        ("mysql://host/base", "no address of a database"),
        ("sqlite:///nowhere/optuna.db", "does not exist"),
        ("sqlite:///runs/studies.db", "holds studies"),
        ("postgresql://ann:secret@host/base", "holds a password"),
        ("sqlite:///flowers.csv", "flowers.csv"),
    ],
)
def test_a_wrong_address_is_refused_before_anything_is_written(
    url: str, said: str, cells: RecordedStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    storage = (tmp_path / "runs" / "studies.db").read_bytes()
    assert main([CELLS, "--frames", "out", "--optuna", url]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "--optuna" in error
    assert "secret" not in error
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "runs" / "studies.db").read_bytes() == storage


def test_a_server_takes_it_as_well(
    cells: RecordedStudy, make_postgres_database: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    url = make_postgres_database()
    assert main([CELLS, "--optuna", url]) == main([CELLS, "--optuna", url]) == 0
    storage = optuna.storages.RDBStorage(url)
    try:
        found = optuna.load_study(study_name=CELLS, storage=storage).trials
    finally:
        storage.remove_session()
        storage.engine.dispose()
    search = cells.trials().query("phase == 'search'")
    assert [trial.value for trial in found] == search["objective"].tolist()
    assert main([CELLS, "--mlflow", url]) == 2
    assert "tables of another program" in capsys.readouterr().err
