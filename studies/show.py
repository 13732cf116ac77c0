"""The command `studies show NAME`: prints a study's plan and results, or with --trial one trial."""

import argparse
import sys
from collections.abc import Sequence

from studies._cli import run_door
from studies.planning.command_line import add_storage
from studies.storage.paths import locate


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a study, or one of its trials, and return the exit code."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    from studies.database.lookup import find
    from studies.database.store import Store
    from studies.storage.bringing import with_report
    from studies.storage.remembered import remembering
    from studies.terminal import study_page, trial_page
    from studies.terminal.output import show, show_json
    from studies.verification.damage import explaining_damage, refuse_damaged_trials

    locations = locate(options.storage, options.output)
    with Store.open(locations.storage, create=False) as store, explaining_damage(store, options.name):
        study = find(store, options.name)
        refuse_damaged_trials(store, options.name)
        if options.trial is not None:
            trial = trial_page.read_trial(store, study, options.trial)
            show_json(trial_page.as_json(trial)) if options.json else show(trial_page.trial_page(trial))
        else:
            locations = with_report(study, remembering(store, study, locations))
            results = study_page.read_results(store, study, locations)
            show_json(study_page.as_json(results)) if options.json else show(study_page.study_page(results))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studies show",
        description="Print a study's plan and its results, one row for each cell, or everything about one trial.",
        epilog="Example: studies show depth_study --trial 12",
    )
    parser.add_argument("name", metavar="NAME", help="a study in the database (studies list)")
    parser.add_argument(
        "--trial",
        type=int,
        metavar="N",
        help="show this trial: configuration, losses at each rung, its networks",
    )
    parser.add_argument("--json", action="store_true", help="print it as one JSON object")
    add_storage(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
