"""The command `studies plan STUDY`: prints what a run would train, and runs nothing."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from studies._cli import run_door
from studies.base.states import Until
from studies.planning.command_line import (
    add_live,
    add_resources,
    add_storage,
    add_until,
    add_variant,
    request_of,
    resources_of,
)

if TYPE_CHECKING:
    from studies.planning.plan import Plan


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a plan and return the exit code."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    from studies.planning.request import draft

    drafted = draft(request_of(options))  # so that a mistake is reported before torch is imported

    from studies.execution.older_studies import find_older, in_its_version
    from studies.execution.preparation import load_dataset, settle
    from studies.forecast.forecast import advice_here, predict_here
    from studies.forecast.network_sizes import network_sizes
    from studies.storage.paths import locate
    from studies.terminal.output import show
    from studies.terminal.plan_page import forecast_page
    from studies.terminal.summary import plan_summary

    locations, resources = locate(options.storage, options.output), resources_of(options)
    drafted = in_its_version(drafted, find_older(drafted, locations.storage))
    dataset = load_dataset(drafted)
    plan, notes = settle(drafted, dataset, locations, resources)
    if options.until == Until.LOOK:
        notes += (_stops_at(plan),)
    if options.no_live:
        notes += ("note: with --no-live a run writes no live.html, and removes one that an earlier run left",)
    prediction = predict_here(plan, dataset, locations, resources)
    gpu_share = advice_here(plan, locations, resources)
    sizes = network_sizes(plan, dataset)
    summary = plan_summary(plan, prediction, notes, gpu_share=gpu_share, dataset=dataset, sizes=sizes)
    if options.json:
        print(json.dumps(summary))
    else:
        show(forecast_page(summary, layers=options.architecture))
    return 0


def _stops_at(plan: "Plan") -> str:
    if len(plan.study.all_looks) == 1:
        return "note: --until look changes nothing: the study has a single look"
    return "note: with --until look a run stops after a look, and the same command goes on to the next"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studies plan",
        description="Say what a run would train, how long it would take and how sure it would be. Nothing is written; "
        "a pilot of a few seconds is trained unless the database has a study like it.",
        epilog="Example: studies plan depth_study --set replicates=20",
    )
    add_variant(parser)
    add_until(parser)
    add_live(parser)
    add_resources(parser)
    add_storage(parser)
    parser.add_argument(
        "--architecture", action="store_true", help="print the layers of the largest network, too"
    )
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
