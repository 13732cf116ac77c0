"""A planned trial, complete with seeds and rungs, as a worker is told it."""

from studies.base.states import Phase
from studies.planning.plan import Plan
from studies.planning.planned_trial import PlannedTrial
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.seeds import derive_seed
from trainables.trials.assignment import Assignment


def assign(plan: Plan, trial: PlannedTrial, *, keeps_models: bool) -> Assignment:
    """Return the assignment of `trial`.

    A replicate's seed comes from the study's seed, the phase and its block: the same in every cell, fresh in the
    confirm phase. Layers are measured at the initialisation and at the rungs, in the confirm phase in each epoch.
    """
    rungs = tuple(plan.study.search.rungs)
    confirms = trial.phase is Phase.CONFIRM
    last = plan.study.all_looks[trial.look]
    blocks = tuple(range(last - plan.num_replicates(trial.look), last))
    return Assignment(
        number=trial.number,
        model=plan.study.model,
        objective=plan.study.objective,
        metrics=plan.study.metrics,
        hyperparameters=Hyperparameters.from_dict(
            plan.hyperparameters(trial.params), own=plan.study.hyperparameters
        ),
        blocks=blocks,
        seeds=tuple(derive_seed(plan.seed, str(trial.phase), block) for block in blocks),
        rungs=rungs,
        layers_at=tuple(range(rungs[-1] + 1)) if confirms else (0, *rungs),
        reads_test=confirms,
        keeps_models=keeps_models,
    )
