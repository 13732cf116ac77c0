"""`studies export --mlflow`: MLflow's own client finds a run for each network, under its cell's."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from studies.exchange import mlflow as exchange
from studies.export import main
from studies.results.recorded import RecordedStudy
from tests.studies.exchange.conftest import CELLS
from tests.studies.exchange.expected import expected_networks

# MLflow's tables use a way of loading that SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
TARGET = ("--mlflow", "sqlite:///mlflow.db")


def opened() -> MlflowClient:
    """Return a client of what was exported; MLflow keeps what it has opened by its address."""
    return MlflowClient(f"sqlite:///{Path('mlflow.db').absolute()}")


def read_runs(name: str = CELLS) -> dict[str, Any]:
    """Return the runs of an experiment by the tag that tells them apart."""
    client = opened()
    experiment = client.get_experiment_by_name(name)
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    found = {run.data.tags["studies.network"]: run for run in runs}
    assert len(found) == len(runs)
    return found


def test_mlflow_reads_the_recorded_values(cells: RecordedStudy) -> None:
    assert main([CELLS, *TARGET]) == 0
    client, runs, expected = opened(), read_runs(), expected_networks(cells)
    parents = {run.info.run_id: run for run in runs.values() if run.data.tags["studies.kind"] == "cell"}
    assert sorted(run.info.run_name for run in parents.values()) == ["cell 1: depth=1", "cell 2: depth=2"]
    networks = [run for run in runs.values() if run.data.tags["studies.kind"] == "network"]
    assert len(networks) == len(expected) == 12
    for run in networks:
        tags = run.data.tags
        network = expected[int(tags["studies.trial"]), int(tags["studies.block"])]
        assert run.info.status == "FINISHED"
        assert (tags["studies.phase"], tags["studies.cell"]) == (network.phase, str(network.cell))
        assert parents[tags["mlflow.parentRunId"]].info.run_name.startswith(f"cell {network.cell}:")
        assert float(run.data.params["learning_rate"]) == network.params["learning_rate"]
        assert int(run.data.params["depth"]) == network.params["depth"]
        assert {name: run.data.metrics[name] for name in network.scores} == network.scores
    some = networks[0]
    key = int(some.data.tags["studies.trial"]), int(some.data.tags["studies.block"])
    for name, curve in expected[key].curves.items():
        history = client.get_metric_history(some.info.run_id, name)
        assert {metric.step: metric.value for metric in history} == curve


def test_an_interrupted_run_is_completed_and_nothing_is_added_twice(
    cells: RecordedStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened().create_experiment(CELLS)  # someone else's, which is left alone
    mine = f"{CELLS}-2"
    assert main([CELLS, *TARGET, "--phase", "confirm"]) == 0
    first = {key: run.to_dictionary() for key, run in read_runs(mine).items()}
    assert len(first) == 2 + 4
    ended: list[str] = []
    end = MlflowClient.set_terminated

    def interrupted(client: MlflowClient, run_id: str, *more: Any) -> None:
        ended.append(run_id)
        if len(ended) == 3:
            raise KeyboardInterrupt
        end(client, run_id, *more)

    monkeypatch.setattr(MlflowClient, "set_terminated", interrupted)
    assert main([CELLS, *TARGET]) == 130
    assert [run.info.status for run in read_runs(mine).values()].count("RUNNING") == 1
    monkeypatch.setattr(MlflowClient, "set_terminated", end)
    assert main([CELLS, *TARGET]) == main([CELLS, *TARGET]) == 0
    second = {key: run.to_dictionary() for key, run in read_runs(mine).items()}
    assert len(second) == 2 + 12
    assert {key: second[key] for key in first} == first
    assert {run["info"]["status"] for run in second.values()} == {"FINISHED"}
    history = opened().get_metric_history(ended[-1], "val_loss")
    assert [metric.step for metric in history] == [1, 2, 3]
    assert read_runs(CELLS) == {}


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("mlruns", "no address of a database"),
        ("file:mlruns", "no address of a database"),
        ("sqlite:///runs/studies.db", "holds studies"),
        ("https://ann:secret@server", "holds a password"),
    ],
)
def test_a_wrong_address_is_refused(
    uri: str, said: str, cells: RecordedStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([CELLS, "--mlflow", uri]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "secret" not in error
    assert not Path("mlruns").exists()


def test_a_server_that_does_not_answer_is_told(
    cells: RecordedStudy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert main([CELLS, "--mlflow", "http://127.0.0.1:9"]) == 1
    error = capsys.readouterr().err
    assert "--mlflow: MLflow:" in error
    assert "give the same command again" in error


def test_an_optuna_database_is_no_place_for_it(
    cells: RecordedStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([CELLS, "--optuna", "sqlite:///both.db"]) == 0
    assert main([CELLS, "--mlflow", "sqlite:///both.db"]) == 2
    assert "tables of another program" in capsys.readouterr().err


def test_without_the_package_the_command_that_installs_it_is_told(
    cells: RecordedStudy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert main([CELLS, *TARGET]) == 2
    assert f"pip install 'studies[{exchange.EXTRA}]'" in capsys.readouterr().err
    assert not Path("mlflow.db").exists()


def test_a_server_of_databases_takes_it_as_well(
    cells: RecordedStudy, make_postgres_database: Callable[[], str]
) -> None:
    url = make_postgres_database()
    assert main([CELLS, "--mlflow", url, "--phase", "confirm"]) == 0
    client = MlflowClient(url)
    experiment = client.get_experiment_by_name(CELLS)
    assert experiment is not None
    assert len(client.search_runs([experiment.experiment_id])) == 2 + 4
