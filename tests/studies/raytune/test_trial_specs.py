"""What a worker is told: the phase's own seeds, the same in every cell, and what to measure and keep."""

from dataclasses import replace

from search_spaces import Value
from studies.base.states import Phase
from studies.definition.plan_versions import UNTIL_CLEAR
from studies.planning.plan import Plan
from studies.planning.planned_trial import PlannedTrial
from studies.raytune.experiment import assign
from tests.studies.raytune.plans import plan
from trainables.trials.trial_spec import TrialSpec
from trainables.user_code.code import Source, UserCode

PLAN = plan()
PARAMS: dict[str, Value] = {"depth": 2, "optimizer": "adam", "learning_rate": 0.01}


def told(phase: Phase, *, number: int = 1, cell: int = 0, look: int = 0, keeps: bool = False) -> TrialSpec:
    trial = PlannedTrial(number=number, phase=phase, cell=PLAN.cells[cell], params=PARAMS, look=look)
    return assign(PLAN, trial, keeps_models=keeps)


def test_a_blocks_seed_ignores_cell_and_number() -> None:
    one, other = told(Phase.SEARCH), told(Phase.SEARCH, number=9, cell=3)
    assert one.seeds == other.seeds
    assert len(set(one.seeds)) == 2
    assert one.blocks == (0, 1)


def test_the_confirm_phase_has_fresh_seeds_and_the_same_blocks() -> None:
    search, confirm = told(Phase.SEARCH), told(Phase.CONFIRM)
    assert set(search.seeds).isdisjoint(confirm.seeds)
    assert search.blocks == confirm.blocks


def test_only_the_confirm_phase_reads_the_test_part() -> None:
    assert not told(Phase.SEARCH).reads_test
    assert told(Phase.CONFIRM).reads_test


class TestScoresOfBothHeldOutParts:
    """They are asked for of blocks that later looks add, which no search has read."""

    TODAY = replace(plan(looks=(10, 20)), version=UNTIL_CLEAR)

    def asked(self, phase: Phase, look: int, small: Plan = TODAY, *, official_test: bool = False) -> bool:
        trial = PlannedTrial(number=1, phase=phase, cell=small.cells[0], params=PARAMS, look=look)
        return assign(small, trial, keeps_models=False, official_test=official_test).scores_holdout

    def test_only_later_looks_have_them(self) -> None:
        assert self.asked(Phase.CONFIRM, 1)
        assert not self.asked(Phase.CONFIRM, 0)
        assert not self.asked(Phase.SEARCH, 0)

    def test_an_official_test_set_an_older_plan_and_early_stopping_have_none(self) -> None:
        assert not self.asked(Phase.CONFIRM, 1, official_test=True)
        assert not self.asked(Phase.CONFIRM, 1, replace(self.TODAY, version=UNTIL_CLEAR - 1))
        study = replace(self.TODAY.study, fixed={"width": 16, "patience": 2})
        assert not self.asked(Phase.CONFIRM, 1, replace(self.TODAY, study=study))

    def test_networks_of_the_users_own_build_have_them_and_those_of_a_train_have_not(self) -> None:
        study = replace(self.TODAY.study, model="own")
        for name, pools in (("build", True), ("train", False)):
            source = Source(path="own.py", text=f"def {name}(*given):\n    return []\n".encode())
            own = replace(self.TODAY, study=study, code=UserCode(file=source))
            assert self.asked(Phase.CONFIRM, 1, own) is pools


def test_layers_are_measured_at_rungs_and_when_confirming_in_each_epoch() -> None:
    assert told(Phase.SEARCH).layers_at == (0, 1, 3)
    assert told(Phase.CONFIRM).layers_at == (0, 1, 2, 3)
    assert told(Phase.CONFIRM).epochs == 3


def test_hyperparameters_are_the_trials_over_the_fixed_over_the_defaults() -> None:
    hyperparameters = told(Phase.SEARCH).hyperparameters
    assert (hyperparameters.depth, hyperparameters.learning_rate) == (2, 0.01)
    assert hyperparameters.width == 16
    assert hyperparameters.momentum == 0.9


def test_another_seed_of_the_study_is_another_study() -> None:
    other = replace(PLAN, seed=1)
    trial = PlannedTrial(number=1, phase=Phase.SEARCH, cell=PLAN.cells[0], params=PARAMS)
    assert set(assign(other, trial, keeps_models=False).seeds).isdisjoint(told(Phase.SEARCH).seeds)
