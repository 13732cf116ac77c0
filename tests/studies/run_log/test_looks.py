"""What was decided after looks comes back as it was, and says which cells each look trains."""

import math
from dataclasses import replace

from reports.inputs.decisions import Decision, Question, Standing
from studies.database.store import Store
from studies.definition import plan_versions
from studies.run_log import looks
from tests.studies.raytune.driving import drive, register
from tests.studies.raytune.plans import plan

LOOKING = plan(looks=(10, 20, 40))


def question(standing: Standing, *, factor: str = "depth", estimate: float = 0.01) -> Question:
    return Question(
        factor=factor,
        level_a=1,
        level_b=2,
        standing=standing,
        look=1,
        num_blocks=10,
        gate="UNRESOLVED",
        estimate=estimate,
        low=-0.02,
        high=0.04,
    )


def decision(*questions: Question, cells: tuple[int, ...] = (1, 2)) -> Decision:
    return Decision(
        look=1, num_blocks=10, questions=questions, cells=cells, next_blocks=20 if cells else None
    )


def test_an_undefined_number_is_null(store: Store) -> None:
    study = register(LOOKING, store)
    looks.note_decision(store, study.id, decision(question(Standing.WITHHELD, estimate=math.nan), cells=()))
    (event,) = store.events(study.id)
    assert "NaN" not in event.detail
    (found,) = looks.decisions(store.events(study.id))
    assert (found["look"], found["cells"], found["next_blocks"]) == (1, [], None)
    assert (found["questions"][0]["estimate"], found["questions"][0]["high"]) == (None, 0.04)


def test_a_summary_names_the_questions_by_standing(store: Store) -> None:
    study = register(LOOKING, store)
    assert looks.summary(LOOKING, looks.decisions(store.events(study.id))) is None
    both = decision(question(Standing.OPEN), question(Standing.CLOSED, factor="dropout"))
    looks.note_decision(store, study.id, both)
    found = looks.summary(LOOKING, looks.decisions(store.events(study.id)))
    assert found is not None
    assert (found.look, found.num_looks, found.num_blocks, found.next_blocks) == (1, 3, 10, 20)
    assert (found.open, found.closed, found.num_questions, found.num_cells) == (
        ("depth: 2 − 1",),
        ("dropout: 2 − 1",),
        2,
        2,
    )


def test_a_look_trains_the_cells_that_the_decision_before_it_named(store: Store) -> None:
    drive(LOOKING, store)
    study = store.find_study("small")
    assert study is not None
    trials, events = store.trials(study.id), store.events(study.id)
    decided = looks.decisions(events)
    found = looks.cells_by_look(LOOKING, trials, events)
    assert found == [[1, 2, 3, 4], *(each["cells"] for each in decided[:-1])]
    assert looks.cells_by_look(LOOKING, [], []) == [[1, 2, 3, 4]]


def test_plans_before_version_4_train_all_cells(store: Store) -> None:
    older = replace(LOOKING, version=plan_versions.UNTIL_CLEAR - 1)
    for _ in range(2):
        drive(older, store)
    study = store.find_study("small")
    assert study is not None
    assert looks.cells_by_look(older, store.trials(study.id), store.events(study.id)) == [[1, 2, 3, 4]] * 2
