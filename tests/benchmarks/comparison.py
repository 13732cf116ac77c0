"""How much does each way train in the same time?

Ours (the command, from its start to the report) against the script that Ray Tune's documentation leads to, the same
with its workers' processes kept, Optuna alone in two processes, and the bare matrix products as the floor. All train
networks of depth_study's cells on two cores, in turn, the next time in the opposite order.
"""

from collections.abc import Sequence

from studies.catalog.depth_study import STUDY
from studies.planning.plan import Plan
from tests.benchmarks.contenders.contests import OPTUNA, OURS, RATES, RAY, RAY_KEPT, Contest, hold
from tests.benchmarks.contenders.networks import QUICK, WHOLE, WORKERS, Networks
from tests.benchmarks.contenders.ours import OurRun, run_ours
from tests.benchmarks.contenders.whole_study import goals_of_whole_study
from tests.benchmarks.measuring.floor import floor_seconds
from tests.benchmarks.measuring.part import part_parser
from tests.benchmarks.measuring.spread import Spread, digits
from tests.benchmarks.measuring.text import table

GOALS = {RAY: 100.0, OPTUNA: 5.0}
"""How many times as many network-epochs a second ours has to train."""


def section(contest: Contest, networks: Networks, floor: float, answer: OurRun) -> str:
    """Return what the rounds came to, and what the `answer` to all questions took.

    `floor`: seconds of the bare products of an epoch of one network.
    """
    others = [name for name in contest.rounds[0] if name != OURS]
    parts = [
        _about(contest, networks, floor),
        _rates(contest, [OURS, *others], floor),
        _ratios(contest, others, floor),
        _hours(contest, others),
        _answer(contest, others, answer),
    ]
    if networks is WHOLE:
        parts.append(goals_of_whole_study(contest.ours))
    return "\n\n".join(parts)


def _about(contest: Contest, networks: Networks, floor: float) -> str:
    runs = contest.rounds[0]
    counts = ", ".join(f"{name} {run.outcome.networks:,}" for name, run in runs.items())
    what = "all of depth_study" if networks is WHOLE else f"{len(networks.cells)} cells of depth_study"
    return (
        f"Digits, {what}, width 64, batch 64, {STUDY.confirm.epochs} epochs unless ASHA stops them, {WORKERS} workers "
        f"with one thread each. Networks trained in a round: {counts}. The Ray Tune script takes a sample of the "
        "cells, one network each, because it would take hours for all. Ours also measures every layer's gradients, "
        "commits each result to its database and ends with the report. Processor time is that of every process a "
        f"command starts, and differs less on a busy machine. The floor: the bare matrix products of an epoch of one "
        f"network take {1e3 * floor:.2f} ms of one core. Median and range of {len(contest.rounds)} rounds."
    )


def _rates(contest: Contest, names: Sequence[str], floor: float) -> str:
    rows = [[name, *(Spread.of(contest.values(name, rate)) for rate in RATES.values())] for name in names]
    floor_row = ["matrix products alone", digits(WORKERS / floor), digits(1 / floor), "", ""]
    return table(["way", *RATES], [*rows, floor_row])


def _ratios(contest: Contest, others: Sequence[str], floor: float) -> str:
    rows = []
    for name in others:
        ratios = [
            Spread.of_ratios(contest.values(OURS, rate), contest.values(name, rate))
            for rate in RATES.values()
        ]
        goal = GOALS.get(name)
        met = "" if goal is None else f"{goal:g}: {'yes' if ratios[0].median >= goal else 'no'}"
        rows.append([name, *ratios, met])
    by_floor = [
        Spread.of(rate * floor / processors for rate in contest.values(OURS, how))
        for how, processors in zip(list(RATES.values())[:2], (WORKERS, 1), strict=True)
    ]
    rows.append(["matrix products alone", *by_floor, "", "", ""])
    return table(["Studies, times", *RATES, "goal met"], rows)


def _hours(contest: Contest, others: Sequence[str]) -> str:
    plan = Plan(name="depth_study", study=STUDY, dataset_fingerprint="").up_to_look(1)
    rows = []
    for name in others:
        by_epochs = (
            plan.expected_network_epochs / Spread.of(contest.values(name, lambda run: run.rate)).median
        )
        by_networks = plan.num_networks / Spread.of(contest.values(name, lambda run: run.network_rate)).median
        rows.append([name, f"{by_epochs / 3600:.2f}", f"{by_networks / 3600:.2f}"])
    sentence = (
        f"Extrapolated to all {plan.num_networks:,} networks and {plan.expected_network_epochs:,.0f} network-epochs of "
        "depth_study, each way would train for so many hours:"
    )
    return f"{sentence}\n\n{table(['way', 'by network-epochs', 'by networks'], rows)}"


def _answer(contest: Contest, others: Sequence[str], answer: OurRun) -> str:
    """Return what it takes until every question is answered, or capped by its last look."""
    trained = answer.outcome
    rows = [[OURS, f"{answer.command.wall_seconds:.0f}"]]
    for name in others:
        rate = Spread.of(contest.values(name, lambda run: run.rate)).median
        rows.append([name, f"{trained.network_epochs / rate:,.0f}"])
    sentence = (
        "Seconds until all questions of the study are answered, or capped by its last look. Ours are those of one run "
        f"from the command to the report, which trained {trained.networks:,} networks for {trained.network_epochs:,} "
        "network-epochs; the others' are as many network-epochs at their rates, without start, statistics or report:"
    )
    return f"{sentence}\n\n{table(['way', 'seconds to the answer'], rows)}"


def main() -> None:
    """Print the section."""
    parser = part_parser(__doc__)
    parser.add_argument("--rounds", type=int, help="how often each way is run")
    options = parser.parse_args()
    networks = QUICK if options.quick else WHOLE
    contenders = [OURS, RAY, OPTUNA] if options.quick else [OURS, RAY, RAY_KEPT, OPTUNA]
    floor = floor_seconds(networks.cells, replicates=networks.replicates)
    contest = hold(networks, contenders=contenders, num_rounds=options.rounds or (2 if options.quick else 3))
    print(section(contest, networks, floor, run_ours(networks, seed=0, single_look=False)))


if __name__ == "__main__":
    main()
