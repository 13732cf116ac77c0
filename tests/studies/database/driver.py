"""A driver without training, for tests that kill it: says each write on standard output once it is durable."""

import sys

from studies.database.store import Store
from tests.studies.database.recorded import add_trial, at_end, at_rung, new_study, start

NUM_TRIALS = 12
RUNGS = (1, 3, 9)


def run(url: str) -> None:
    """Run every trial that has not ended, each from its start."""
    with Store.open(url) as store:
        study = store.find_study("killed") or new_study(store, "killed")
        ended = {trial.number for trial in store.trials(study.id) if trial.state.has_ended}
        for number in sorted(set(range(1, NUM_TRIALS + 1)) - ended):
            add_trial(store, study, number)
            start(store, study, number)
            first = 0
            for rung in RUNGS:
                store.record_result(study.id, number, at_rung(rung, range(first, rung + 1)))
                first = rung + 1
                print(number, rung, flush=True)
            store.record_result(study.id, number, at_end(RUNGS[-1], []))
            print(number, "end", flush=True)


if __name__ == "__main__":
    run(sys.argv[1])
