"""Prints the tables of docs/simulations.md: `python -m tests.reports.simulate --studies 300`."""

from __future__ import annotations

import argparse
import time
from typing import Any

from tests.reports.simulated_settings import LIMITS, WORLDS
from tests.reports.simulated_tallies import Tally, simulated

FAMILIES = (
    "at best",
    "error at best",
    "line to beat",
    "averages",
    "averages by level",
    "interactions",
    "growth",
    "growth by level",
    "growth interactions",
    "beyond sample",
)


def main() -> None:
    """Simulate every setting in every design that is asked for, one row of a Markdown table each."""
    arguments = _arguments()
    print(f"| setting | studies | false | share | wrong sign | true claims | {' | '.join(FAMILIES)} |")
    print("|" + "---|" * (6 + len(FAMILIES)))
    for name in arguments.setting:
        began = time.process_time()
        found = simulated(
            {**WORLDS, **LIMITS}[name](), arguments.studies, arguments.seed, arguments.plan_version
        )
        print(_row(name, found), f"<!-- {time.process_time() - began:.0f} s -->", flush=True)


def _row(name: str, found: Tally) -> str:
    by_family = [str(found.by_family.get(family, 0)) for family in FAMILIES]
    cells: list[Any] = [name, found.num, found.false, f"{100 * found.share:.1f} %", found.wrong_sign]
    return "| " + " | ".join(map(str, [*cells, found.claiming, *by_family])) + " |"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=500, help="studies a setting")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plan-version", type=int, default=3, choices=(2, 3), help="2: the rules before")
    parser.add_argument("--setting", nargs="*", choices=[*WORLDS, *LIMITS], default=[*WORLDS, *LIMITS])
    return parser.parse_args()


if __name__ == "__main__":
    main()
