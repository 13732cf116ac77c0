"""The four numbers at the top of the page: networks, time, what was stopped early, what was unstable."""

from typing import Any

from reports.inputs.inputs import ReportInputs
from reports.results.results import Results

HEALTHY = ("STABLE", "WATCH")


def key_numbers(inputs: ReportInputs, results: Results) -> dict[str, Any]:
    """Networks and epochs trained, wall seconds, share of search trials stopped, share of networks unstable.

    A network counts as unstable in the confirm phase where it diverged or failed, or its verdict after training is
    neither STABLE nor WATCH. Shares are null before there is anything to count; `has_verdicts` says whether gradients
    were judged at all.
    """
    search = inputs.trials[inputs.trials["phase"] == "search"]
    ended = search[~search["state"].isin(["waiting", "running"])]
    stopped = ended["state"] == "pruned"
    confirm = inputs.replicates[inputs.replicates["phase"] == "confirm"]
    lost, trained = confirm["outcome"].isin(["diverged", "failed"]), confirm["verdict_trained"]
    unstable = lost | (trained.notna() & ~trained.isin(HEALTHY))
    return {
        "networks": results.accounting.overall["networks"],
        "epochs": results.accounting.overall["epochs"],
        "wall_seconds": inputs.seconds.get("wall"),
        "num_stopped": int(stopped.sum()),
        "num_search": len(ended),
        "share_stopped": float(stopped.mean()) if len(ended) else None,
        "num_unstable": int(unstable.sum()),
        "num_diverged": int((confirm["outcome"] == "diverged").sum()),
        "num_confirm": len(confirm),
        "share_unstable": float(unstable.mean()) if len(confirm) else None,
        "has_verdicts": bool(trained.notna().any()),
    }
