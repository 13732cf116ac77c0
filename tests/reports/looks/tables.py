"""Prints the tables of planned looks in docs/simulations.md: `python -m tests.reports.looks.tables --studies 10000`."""

from __future__ import annotations

import argparse

import numpy as np

from tests.reports.looks.settings import (
    CONTROLS,
    FALSE_CLAIMS,
    HIDDEN,
    SPREADS,
    STEPS,
    Tally,
    networks,
    tally,
)


def main() -> None:
    """Simulate every setting, one row of a Markdown table each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=10_000, help="studies a setting")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    num, seed = arguments.studies, arguments.seed
    print("| setting | false studies |\n|---|---|")
    for name, setting in FALSE_CLAIMS.items():
        print(f"| {name} | {_false(tally(setting, num, seed))} |", flush=True)
    looks = "clear at 10 | by 20 | by 40 | by 80"
    print(
        f"\n| studies | spread | difference | {looks} | networks, mean | nine in ten at most |\n|{'---|' * 9}"
    )
    for kind in ("one question", "seven questions", "54 cells searched"):
        for spread, values in SPREADS.items():
            for step in STEPS:
                found = tally(networks(kind, step, values), num, seed)
                print(f"| {kind} | {spread} | {step:g} | {_row(found)} |", flush=True)
    print("\n| breach | by the rules | with the breach |\n|---|---|---|")
    for name, (honest, breach) in {**CONTROLS, **HIDDEN}.items():
        print(
            f"| {name} | {_false(tally(honest, num, seed))} | {_false(tally(breach, num, seed))} |",
            flush=True,
        )


def _false(found: Tally) -> str:
    return f"{100 * found.share:.2f} %"


def _row(found: Tally) -> str:
    clear = " | ".join(f"{100 * share:.1f} %" for share in found.clear)
    return f"{clear} | {found.networks.mean():.0f} | {np.quantile(found.networks, 0.9):.0f}"


if __name__ == "__main__":
    main()
