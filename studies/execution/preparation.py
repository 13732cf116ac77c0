"""Prepares a run: loads the dataset, makes the plan, cuts it to the budget, and tries the user's own code."""

import zlib
from typing import TYPE_CHECKING

from studies.base.errors import UsageError
from studies.base.states import StudyState
from studies.database.store import Store
from studies.forecast.budget import afford
from studies.planning.plan import Plan
from studies.planning.rare_classes import check_classes, prepared
from studies.planning.request import Draft
from studies.planning.resources import Resources
from studies.run_log import run_events
from studies.storage.paths import Locations
from studies.user_files.interface_checks import load_user_data
from trainables.user_code.code import OWN

if TYPE_CHECKING:
    from trainables.data.dataset import Dataset


def settle(
    drafted: Draft, dataset: "Dataset", locations: Locations, resources: Resources
) -> tuple[Plan, tuple[str, ...]]:
    """Return the plan to run, cut to the budget if there is one, and notes for the user.

    The notes say what was cut, which factors and nuisances the variant holds fixed, and what trying out the user's own
    networks or loop showed. Raises UsageError if a class is missing from a part of a block, or if the user's networks
    or loop cannot be trained.
    """
    plan, budget = drafted.freeze(dataset), drafted.request.budget
    check_classes(plan, dataset)
    warnings = (*drafted.notes, *planned_instead(plan, locations), *_try_user_code(plan, dataset))
    if budget is None:
        return plan, warnings
    fitted = afford(plan, budget, dataset=dataset, locations=locations, resources=resources)
    return fitted.plan, (*(f"for --budget {budget}: {line}" for line in fitted.given_up), *warnings)


def planned_instead(plan: Plan, locations: Locations) -> tuple[str, ...]:
    """Return a note if a recorded study has these replicates as a later look: going on there trains less.

    That study differs in replicates and looks only, and has finished a look with fewer blocks.
    """
    if (store := Store.open_existing(locations.storage)) is None:
        return ()
    mine = plan.to_dict() | {"replicates": None, "looks": None}
    with store:
        for study in store.studies():
            theirs = study.plan
            if (
                study.name != plan.name
                and study.state is StudyState.COMPLETE
                and plan.study.replicates in theirs.get("looks", [])[1:]
                and {**theirs, "replicates": None, "looks": None} == mine
                and (starts := run_events.started_with(store.events(study.id)))
            ):
                return (
                    f"note: {plan.study.replicates} blocks are a planned look of {study.name}, which has finished the "
                    f"one at {theirs['replicates']}: {starts[-1]['command']} goes on there, and trains the cells of "
                    "open questions only; this command trains every network anew",
                )
    return ()


def _try_user_code(plan: Plan, dataset: "Dataset") -> tuple[str, ...]:
    """Try out the networks or the loop of the user's own file; return a line for each warning."""
    warnings: tuple[str, ...] = ()
    if plan.build is not None:
        from studies.forecast.dry_run import try_networks

        warnings = try_networks(plan, dataset)
    elif plan.loop is not None:
        from studies.forecast.loop_dry_run import try_loop

        warnings = try_loop(plan, dataset)
    return tuple(f"warning: {warning}" for warning in warnings)


def load_dataset(drafted: Draft) -> "Dataset":
    """Load the draft's dataset, without rare classes if it asks for that; UsageError for a missing or damaged file."""
    if drafted.study.dataset == OWN and drafted.code is not None:
        loaded = load_user_data(drafted.code, measured=bool(drafted.study.metrics))
    else:
        loaded = _load(drafted)
    return prepared(drafted.study, loaded)


def _load(drafted: Draft) -> "Dataset":
    from trainables import datasets
    from trainables.data.dataset_files import DatasetError

    try:
        return datasets.load(drafted.study.dataset, table=drafted.study.table)
    except DatasetError as error:
        raise UsageError(
            [f"dataset {drafted.study.dataset}: {error.message}"], f"{error.advice} Nothing was trained."
        ) from error
    except (
        OSError,
        EOFError,
        zlib.error,
        ValueError,
    ) as error:  # EOFError: a truncated compressed file
        raise UsageError([f"dataset {drafted.study.dataset}: {error}"], "Nothing was trained.") from error
