"""The answer at the end of a run in a few plain lines, worded as at the top of the report."""

import textwrap
from collections.abc import Mapping
from typing import Any

from reports.inputs.measures import outcome_measure, own_measures
from reports.wording.words import difference_name
from studies.base import wording
from studies.base.durations import format_duration
from studies.execution.session import Result

WIDTH = 80


def answer_lines(result: Result) -> list[str]:
    """Return the question, the sentences that answer it, the best configuration, the time, and the report's path."""
    report = result.report
    lines = [f"{result.name} is finished; its report was made again."] if result.was_complete else []
    lines += ["", *_wrapped(report["question"]), ""]
    for sentence in report["answer"]:
        lines += _wrapped(sentence["sentence"], first="  ", rest="  ")
    if not report["answer"]:
        lines += _wrapped(report["found"], first="  ", rest="  ")
    failed, started = report["accounting"]["failed"], report["accounting"]["started"]
    if failed:
        lines += ["", f"Failed  {failed} of {started} trials; why: studies status {result.name}"]
    lines += ["", *_best(report["best"], report["plan"]), ""]
    lines += _next(result)
    if not result.was_complete:
        seconds = report["seconds"]
        startup = format_duration(seconds["startup"])
        lines += [f"Time    {format_duration(seconds['wall'])}, of it {startup} to the first trained epoch"]
    for note in result.notes:
        lines += _wrapped(note, first="Note    ", rest="        ")
    return [*lines, f"Report  {result.report_path}"]


def _next(result: Result) -> list[str]:
    """Return which questions are open, and the command that goes on to the next look; nothing where none is left."""
    if result.next_look is None:
        return []
    outcome = outcome_measure(result.report["plan"]).name
    names = [
        difference_name(row["factor"], row["level_a"], row["level_b"])
        for row in result.report["at_best"]
        if row["outcome"] == outcome and row.get("standing") == "open"
    ]
    lines = _wrapped(f"Open    {', '.join(names)}", rest="        ") if names else []
    lines += [f"Next    the planned look at {result.next_look} blocks:"]
    return [*lines, *_wrapped(result.next_command or "the same command", first="        ", rest="        ")]


def _best(best: Mapping[str, Any] | None, plan: Mapping[str, Any]) -> list[str]:
    if best is None:
        return ["No configuration was confirmed."]
    if best["num_blocks"] and best["num_failed"] == best["num_blocks"]:
        what, lost = wording.configuration(best["params"]), outcome_measure(plan).said_of_failures
        return _wrapped(f"Best    none: every network of {what} {lost}", rest="        ")
    lines = [f"Best    {wording.configuration(best['params'])}"]
    for part, prefix in (("validation", "val"), ("test", "test")):
        if own := own_measures(plan, prefix):
            scores = [f"{each.kind} {each.value(best[each.name])}" for each in own]
            lines += [f"        {part}: {', '.join(scores)}"] if best[own[0].name] is not None else []
            continue
        loss, accuracy = best[f"{prefix}_loss"], best[f"{prefix}_accuracy"]
        if loss is not None:
            lines.append(f"        {part}: log-loss {loss:.3f} nats, accuracy {wording.percent(accuracy)}")
    return lines


def _wrapped(text: str, *, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(wording.printable(text), WIDTH, initial_indent=first, subsequent_indent=rest)
