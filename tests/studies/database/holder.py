"""A driver that holds a study and writes an event for each line it reads; says what it does on standard output."""

import sys

from studies.base.errors import HeldError
from studies.database.store import Store


def hold(url: str, name: str) -> int:
    """Hold the study until standard input ends; return the exit code of a run."""
    try:
        with Store.open(url) as store:
            study = store.find_study(name)
            assert study is not None
            with store.hold(study.id) as lease:
                print("held", lease.token, flush=True)
                for line in sys.stdin:
                    store.add_event(study.id, "note", None, line.strip())
                    print("wrote", line.strip(), flush=True)
    except HeldError as error:
        print("refused", error.message, flush=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(hold(*sys.argv[1:]))
