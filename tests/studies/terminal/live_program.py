"""A program that shows a made-up run's progress live: `live_program.py ending`, with an ending of its own."""

import signal
import sys
import time
from pathlib import Path

from search_spaces import Value
from studies.base.states import Phase, TrialState
from studies.search.progress import Best, Progress, RunningTrial
from studies.terminal.display import showing

PARAMS: dict[str, Value] = {"depth": 5, "batch_norm": True, "optimizer": "rmsprop", "learning_rate": 0.0034}


def main(ending: str) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is started without it
    progress = Progress(
        planned={Phase.SEARCH: 324, Phase.CONFIRM: 54},
        planned_networks=3780,
        expected_network_epochs=50_000.0,
    )
    with showing(
        progress,
        name="depth_study",
        question="Do more hidden layers help, and does that depend on the optimizer?",
        find_dashboard=lambda: "http://127.0.0.1:8265",
        token_hint="cat /tmp/studies-x/token",
        report_path=Path("runs/depth_study/report.html"),
        live_page=Path("runs/depth_study/live.html"),
    ):
        time.sleep(0.4)
        progress.running = {
            number: RunningTrial(number=number, phase=Phase.SEARCH, params=PARAMS, epoch=6)
            for number in range(7, 27)
        }
        time.sleep(0.6)
        print("a stray line", file=sys.stderr)
        progress.running = {}
        progress.best = Best(number=12, objective=0.1123, params=PARAMS)
        progress.ended[Phase.SEARCH].update(
            {TrialState.COMPLETE: 210, TrialState.PRUNED: 100, TrialState.FAILED: 1}
        )
        progress.num_networks, progress.num_diverged = 3110, 3
        progress.note = "the database is slow"
        if ending == "error":
            raise RuntimeError("broken")
        if ending == "wait":
            time.sleep(30)


if __name__ == "__main__":
    main(sys.argv[1])
