"""Tries out a user's own training loop before training: does it resume from a checkpoint with the same numbers?"""

import torch

from studies.base.errors import UsageError
from studies.forecast.pilot import amid_ranges
from studies.planning.plan import Plan
from studies.user_files.interface_checks import place_of
from studies.user_files.loader import naming_file
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.seeds import derive_seed
from trainables.data.dataset import Dataset
from trainables.data.splits import split_block
from trainables.data.stack_data import StackData
from trainables.trials.loop_resuming import ResumeMismatch, find_resume_mismatch
from trainables.trials.loop_trial import takes_state
from trainables.trials.trial_spec import TrialSpec
from trainables.user_code.loop import LoopError


def try_loop(plan: Plan, dataset: Dataset) -> tuple[str, ...]:
    """Train a few epochs on a few examples, uninterrupted and from a checkpoint; return a warning if they differ.

    A loop that takes no state is not tried: its interrupted trials start over. Raises UsageError with file and line if
    the loop cannot be trained.
    """
    assert plan.code is not None
    assert plan.loop is not None, "only a user's own loop needs trying out"
    if not takes_state(plan.loop):
        return ()
    place = place_of(plan.code, "train")
    with naming_file(plan.code, "train() raised ", at=place):
        try:
            mismatch = find_resume_mismatch(plan.loop, _trial_spec(plan), _data(plan, dataset))
        except LoopError as error:
            raise UsageError([str(error)], "Correct the file; nothing was trained.") from error
    return () if mismatch is None else (f"{place}: {_warning(mismatch)}",)


def _warning(mismatch: ResumeMismatch) -> str:
    if mismatch.is_repeatable:
        return (
            "train() takes a state and does not go on from it as if it had not been interrupted, so an interrupted "
            f"trial will start over: {mismatch.words}"
        )
    return (
        "train() comes to other numbers each time that it is run with the same seed, so an interrupted trial cannot go "
        f"on to the same numbers: {mismatch.words}"
    )


def _data(plan: Plan, dataset: Dataset) -> StackData:
    split = split_block(
        dataset.targets,
        seed=plan.seed,
        block=0,
        train_size=plan.study.fixed.get("train_size"),  # type: ignore[arg-type]
        official_test=dataset.official_test,
    )
    return StackData.make(dataset, [split], torch.device("cuda" if torch.cuda.is_available() else "cpu"))


def _trial_spec(plan: Plan) -> TrialSpec:
    """Return the first cell at the middle of its nuisances' ranges, with the confirm phase's epochs."""
    study = plan.study
    levels = {name: levels[0] for name, levels in study.factors.items()}
    values = plan.hyperparameters({**levels, **amid_ranges(plan, levels)})
    return TrialSpec(
        number=0,
        model=study.model,
        objective=study.objective,
        metrics=study.metrics,
        hyperparameters=Hyperparameters.from_dict(values, own=study.hyperparameters),
        blocks=(0,),
        seeds=(derive_seed(plan.seed, "try", 0),),
        rungs=(study.confirm.epochs,),
        layers_at=(),
    )
