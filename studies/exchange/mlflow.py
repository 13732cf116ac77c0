"""`--mlflow`: one MLflow run for each network, under a parent run for each cell."""

import logging
import os
from collections.abc import Mapping
from typing import Any, Final

from studies.base.errors import StudiesError, UsageError
from studies.base.states import Outcome, Phase
from studies.base.steps import Tell
from studies.base.wording import error_line
from studies.database.frames.networks import count_networks
from studies.database.other_databases import address_for, make_private_file, refuse_password
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.exchange.destinations import identity, load_extra, names_for
from studies.exchange.networks import Network, networks, telling

OPTION: Final = "--mlflow"
EXTRA: Final = "mlflow"
OWN_TABLE: Final = "experiments"
"""A table that every MLflow database has, and no storage of ours."""
KEY: Final = "studies.network"
"""The tag by which a run is found again: trial/replicate of a network, or the name of a cell's group."""
ORIGIN: Final = "studies.origin"
"""The prefix of an experiment's tags that say which study it is of."""
METRICS_AT_ONCE: Final = 1000
PARAM_CHARACTERS: Final = 6000
"""The most that MLflow takes."""
RUNS_AT_ONCE: Final = 1000
OF_A_SERVER: Final = ("http", "https")
_STATUS: Final = {Outcome.COMPLETE: "FINISHED", Outcome.STOPPED: "KILLED"}


def check(uri: str) -> str:
    """Return the tracking URI; raise UsageError unless MLflow is installed and the URI is of a server or database."""
    scheme = uri.partition("://")[0]
    if scheme in OF_A_SERVER:
        refuse_password(OPTION, uri)
        tracked = uri
    else:
        tracked = address_for(
            OPTION, uri, program="MLflow", own_table=OWN_TABLE, forms=("http://SERVER:PORT",)
        )
    load_extra("mlflow", option=OPTION, extra=EXTRA)
    return tracked


def export(store: Store, study: StudyRow, uri: str, *, phase: Phase | None, tell: Tell) -> str:
    """Add to an MLflow experiment the runs that it lacks; return the experiment's name and what is in it.

    `uri` is what `check` returned. A run is looked for by its tag, and one that was begun by an export that broke off
    is completed: what it has is not added twice. Raises StudiesError where MLflow cannot be reached.
    """
    # An unreachable server is told after seconds, not after minutes; whoever has set these knows better.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    from mlflow.exceptions import MlflowException

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    if "://" in uri and uri.partition("://")[0] not in OF_A_SERVER:
        make_private_file(uri)
    try:
        return _export(store, study, uri, phase, tell)
    except MlflowException as error:
        raise StudiesError(
            f"{OPTION}: MLflow: {error_line(str(error))}",
            "See that it can be reached, then give the same command again: what was exported is kept.",
        ) from error


def _export(store: Store, study: StudyRow, uri: str, phase: Phase | None, tell: Tell) -> str:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(uri)
    experiment, name = _experiment(client, study)
    there = _there(client, experiment)
    total = count_networks(store, study.id, phase=phase)
    parents: dict[str, str] = {}
    for network in telling(networks(store, study, phase=phase), total, tell, what="MLflow"):
        if network.group not in parents:
            parents[network.group] = _parent(client, experiment, network, there)
        if there.get(network.key, ("", False))[1]:
            continue
        _add(client, experiment, network, parents[network.group], there)
    return f"{total:,} networks as runs of the MLflow experiment {name}"


def _experiment(client: Any, study: StudyRow) -> tuple[str, str]:
    """Return the id and name of a study's experiment, made if need be; one of another origin keeps its name."""
    mine = {f"{ORIGIN}.{name}": value for name, value in identity(study).items()}
    for name in names_for(study.name):
        found = client.get_experiment_by_name(name)
        if found is None:
            note = {"mlflow.note.content": study.question}
            return str(client.create_experiment(name, tags=mine | note)), name
        if found.lifecycle_stage == "active" and mine.items() <= found.tags.items():
            return str(found.experiment_id), name
    raise UsageError([f"{OPTION}: every name like {study.name} is taken"], f"Give {OPTION} another place.")


def _there(client: Any, experiment: str) -> dict[str, tuple[str, bool]]:
    """Return the runs of an experiment by their key: a run's id, and whether it is whole."""
    found: dict[str, tuple[str, bool]] = {}
    token = None
    while True:
        page = client.search_runs([experiment], max_results=RUNS_AT_ONCE, page_token=token)
        for run in page:
            if KEY in run.data.tags:
                found[run.data.tags[KEY]] = (run.info.run_id, run.info.status != "RUNNING")
        token = page.token
        if not token:
            return found


def _parent(client: Any, experiment: str, network: Network, there: dict[str, tuple[str, bool]]) -> str:
    """Return the id of the run that the networks of a cell stand under, with the cell's levels; made if need be."""
    run, is_whole = there.get(network.group, (None, False))
    if run is None:
        tags = {KEY: network.group, "studies.kind": "cell" if network.cell is not None else "trial"}
        run = _create(client, experiment, network, network.group, tags)
    if not is_whole:
        levels = network.params if network.cell_levels is None else network.cell_levels
        client.log_batch(run, params=_params(levels))
        client.set_terminated(run, "FINISHED", _milliseconds(network.ended_at.timestamp()))
    return run


def _add(
    client: Any, experiment: str, network: Network, parent: str, there: Mapping[str, tuple[str, bool]]
) -> None:
    """Add a network's run, or complete it. What was logged before is not logged twice: it has the same times."""
    from mlflow.entities import Metric

    run, _ = there.get(network.key, (None, False))
    if run is None:
        told = {
            KEY: network.key,
            "mlflow.parentRunId": parent,
            "studies.kind": "network",
            "studies.group": network.group,
            "studies.phase": str(network.phase),
            "studies.trial": str(network.trial),
            "studies.block": str(network.block),
            "studies.outcome": str(network.outcome),
            "studies.verdict": network.verdict_trained or "",
        }
        tags = told if network.cell is None else told | {"studies.cell": str(network.cell)}
        run = _create(client, experiment, network, network.name, tags)
    metrics = [
        Metric(name, value, _milliseconds(network.seconds_at(epoch)), epoch)
        for epoch, measures in network.curves.items()
        for name, value in measures.items()
    ]
    end, last = _milliseconds(network.ended_at.timestamp()), max(network.curves, default=0)
    metrics += [Metric(f"final/{name}", value, end, last) for name, value in network.scores.items()]
    params = _params(network.params)
    for start in range(0, max(1, len(metrics)), METRICS_AT_ONCE):
        client.log_batch(run, metrics[start : start + METRICS_AT_ONCE], params if start == 0 else ())
    client.set_terminated(run, _STATUS.get(network.outcome, "FAILED"), end)


def _create(client: Any, experiment: str, network: Network, name: str, tags: Mapping[str, str]) -> str:
    start = _milliseconds(network.started_at.timestamp())
    run = client.create_run(experiment, start_time=start, tags=dict(tags), run_name=name)
    return str(run.info.run_id)


def _params(params: Mapping[str, Any]) -> list[Any]:
    from mlflow.entities import Param

    return [Param(name, str(value)[:PARAM_CHARACTERS]) for name, value in params.items()]


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
