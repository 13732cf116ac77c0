"""`--wandb`: one offline run of Weights & Biases for each network, grouped by cell; `wandb sync` uploads them."""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from reports.pages.atomic_files import make_private
from studies.base.errors import StudiesError
from studies.base.states import Phase
from studies.base.steps import Tell
from studies.base.wording import error_line
from studies.database.frames.networks import count_networks
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.exchange.destinations import check_folder, identity, load_extra
from studies.exchange.networks import Network, networks, telling

OPTION: Final = "--wandb"
RUNS: Final = "wandb"
"""The folder of finished runs, as W&B itself calls it."""
UNFINISHED: Final = ".unfinished"
"""The folder of the run that is being written; what is found there was left by an export that broke off."""
SETTINGS: Final = {
    "mode": "offline",
    "silent": True,
    "quiet": True,
    "console": "off",
    "disable_git": True,
    "save_code": False,
    "disable_code": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_disable_machine_info": True,
    "x_save_requirements": False,
}
"""Nothing is sent, and nothing of this machine is recorded: the networks were trained elsewhere and earlier."""


def check(folder: Path) -> None:
    """Raise UsageError unless W&B is installed and runs can be written below `folder`."""
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    load_extra("wandb", option=OPTION, extra="wandb")
    check_folder(OPTION, folder)


def export(store: Store, study: StudyRow, folder: Path, *, phase: Phase | None, tell: Tell) -> str:
    """Write the offline run of each network that has none below `folder`; return what is there and how to upload it.

    A run is moved into place when it is finished, so that an export that was interrupted goes on where it stopped. Its
    id follows from the study and the network: W&B takes it for the same run, whoever exports and uploads it.
    """
    import wandb

    make_private(folder / RUNS)
    there = {path.name.rpartition("-")[2] for path in (folder / RUNS).glob("offline-run-*")}
    total = count_networks(store, study.id, phase=phase)
    try:
        for network in telling(networks(store, study, phase=phase), total, tell, what="W&B"):
            run = _run_id(study, network)
            if run not in there:
                with _hooks_kept():
                    _write(wandb, study, network, run, folder)
    except wandb.Error as error:
        raise StudiesError(
            f"{OPTION}: W&B: {error_line(str(error))}",
            "Give the same command again: runs that are finished are kept.",
        ) from error
    finally:
        wandb.teardown()
        shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
    return f"{total:,} networks as runs of the W&B project {study.name}: {folder / RUNS}"


@contextmanager
def _hooks_kept() -> Iterator[None]:
    """Put back what W&B replaces in this process at each run and leaves: `sys.exit` and `sys.excepthook`."""
    own_exit, own_hook = sys.exit, sys.excepthook
    try:
        yield
    finally:
        sys.exit, sys.excepthook = own_exit, own_hook


def _write(wandb: Any, study: StudyRow, network: Network, run_id: str, folder: Path) -> None:
    """Write one run and move it into place."""
    shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
    make_private(folder / UNFINISHED)
    about = {
        "phase": str(network.phase),
        "trial": network.trial,
        "block": network.block,
        "cell": network.cell,
        "trained_from": network.started_at.isoformat(),
        "trained_to": network.ended_at.isoformat(),
    }
    run = wandb.init(
        project=study.name,
        id=run_id,
        name=network.name,
        group=network.group,
        job_type=str(network.phase),
        tags=[str(network.phase), str(network.outcome)],
        config={**network.params, "studies": about},
        dir=str(folder / UNFINISHED),
        settings=wandb.Settings(**SETTINGS),
    )
    for epoch, measures in network.curves.items():
        run.log(dict(measures), step=epoch)
    run.summary.update({f"final/{name}": value for name, value in network.scores.items()})
    run.summary.update({"outcome": str(network.outcome), "verdict": network.verdict_trained})
    run.finish(exit_code=0 if network.is_sound else 1)
    [made] = (folder / UNFINISHED / RUNS).glob("offline-run-*")
    for scrap in ("logs", "tmp", "files"):
        shutil.rmtree(made / scrap, ignore_errors=True)
    made.rename(folder / RUNS / made.name)


def _run_id(study: StudyRow, network: Network) -> str:
    text = json.dumps([*identity(study).values(), network.key])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
