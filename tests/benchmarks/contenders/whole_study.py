"""The goals for depth_study as a whole: from the command to the report, and what the workers did meanwhile."""

from collections.abc import Callable, Sequence

from tests.benchmarks.contenders.ours import OurRun
from tests.benchmarks.contenders.time_spent import table_of_time
from tests.benchmarks.measuring.spread import Spread
from tests.benchmarks.measuring.text import table

Measure = Callable[[OurRun], float]
GOALS: Sequence[tuple[str, Measure, str, Callable[[float], bool]]] = (
    ("seconds, command to report", lambda run: run.command.wall_seconds, "under 180", lambda x: x < 180),
    ("of it not training", lambda run: run.idle_seconds, "under 40", lambda x: x < 40),
    ("start to the first trial, of it", lambda run: run.seconds["startup"], "", lambda x: True),
    ("workers busy, share", lambda run: run.busy_share, "at least 0.95", lambda x: x >= 0.95),
    (
        "recording, share of the wall time",
        lambda run: run.recording_share,
        "at most 0.03",
        lambda x: x <= 0.03,
    ),
)


def goals_of_whole_study(runs: Sequence[OurRun]) -> str:
    """Return a table of what whole runs took, with the goals, and one of where the time went."""
    rows = []
    for name, measure, goal, is_met in GOALS:
        spread = Spread.of(map(measure, runs))
        rows.append([name, spread, goal, ("yes" if is_met(spread.median) else "no") if goal else ""])
    outcome = runs[0].outcome
    sentence = (
        f"The whole study, {outcome.networks:,} networks and {outcome.network_epochs:,} network-epochs. The share in "
        "which workers train is that of the time from the first trial to the last:"
    )
    goals = table(["what", "measured", "goal", "met"], rows)
    return "\n\n".join([sentence, goals, table_of_time([run.spent for run in runs])])
