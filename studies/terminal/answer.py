"""The answer at the end of a run, as the report gives it, in a few plain lines."""

import textwrap
from collections.abc import Mapping
from typing import Any

from studies.session import Result
from studies.terminal import words

WIDTH = 80
PRIMARY = "test_loss"
"""The outcome that claims are made for."""


def answer_lines(result: Result) -> list[str]:
    """Return the question, what was found, the best configuration with its scores, and where the report is."""
    report = result.report
    lines = []
    if result.was_complete:
        lines += [f"{result.name} is finished; its report was made again."]
    lines += ["", *_wrapped(report["question"])]
    for title, rows in (
        ("Each level at its best cell", "at_best"),
        ("Averaged over the other factors", "contrasts"),
    ):
        found = [row for row in report[rows] if row["outcome"] == PRIMARY]
        if found:
            lines += ["", f"{title}, test log-loss in nats:", *(_contrast(row) for row in found)]
    lines += ["", *_best(report["best"]), ""]
    if result.next_look is not None:
        lines += [f"Next    the same command goes on to the planned look at {result.next_look} blocks"]
    lines += [f"Report  {result.report_path}"]
    return lines


def _contrast(row: Mapping[str, Any]) -> str:
    """Return a gated sentence where there is one, else the estimate with its interval and no judgement."""
    if row["sentence"]:
        return textwrap.fill(row["sentence"], WIDTH, initial_indent="  ", subsequent_indent="    ")
    name = words.printable(f"{row['factor']} {words.level(row['level_b'])} - {words.level(row['level_a'])}")
    if row["estimate"] is None:
        return f"  {name:<28} not estimated"
    interval = "" if row["ci_low"] is None else f"  [{row['ci_low']:+.3f}, {row['ci_high']:+.3f}]"
    return f"  {name:<28} {row['estimate']:+.3f}{interval}  {words.counted(row['num_blocks'], 'block')}"


def _best(best: Mapping[str, Any] | None) -> list[str]:
    if best is None:
        return ["No configuration was confirmed."]
    lines = [f"Best    {words.configuration(best['params'])}"]
    for part, prefix in (("validation", "val"), ("test", "test")):
        loss, accuracy = best[f"{prefix}_loss"], best[f"{prefix}_accuracy"]
        if loss is not None:
            lines.append(f"        {part}: log-loss {loss:.3f} nats, accuracy {words.percent(accuracy)}")
    return lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(words.printable(text), WIDTH)
