"""The answer at the end of a run in a few plain lines, worded as at the top of the report."""

import re
import shlex
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from reports.inputs.measures import outcome_measure, own_measures
from reports.pages.told_verdict import ToldVerdict
from reports.wording.words import difference_name
from studies.base import wording
from studies.base.durations import format_duration
from studies.execution.session import Result
from studies.storage.artifacts import BEST

WIDTH = 80
_TIE = "\N{NO-BREAK SPACE}"


def answer_lines(result: Result, *, sharing: bool = True) -> list[str]:
    """Return question, verdict and facts, best configuration, time, the report's path, and where the model lies.

    With `sharing` the last lines say how the report is passed on.
    """
    report = result.report
    lines = [f"{result.name} is finished; its report was made again."] if result.was_complete else []
    lines += ["", *_wrapped(report["question"]), "", *_verdict(ToldVerdict.of(report))]
    failed, started = report["accounting"]["failed"], report["accounting"]["started"]
    if failed:
        lines += ["", f"Failed  {failed} of {started} trials; why: {_command(result, 'status')}"]
    lines += ["", *_best(report["best"], report["plan"]), ""]
    lines += _next(result)
    if not result.was_complete:
        seconds = report["seconds"]
        startup = format_duration(seconds["startup"])
        lines += [f"Time    {format_duration(seconds['wall'])}, of it {startup} to the first trained epoch"]
    for note in result.notes:
        lines += _wrapped(note, first="Note    ", rest="        ")
    lines += [f"Report  {result.report_path}", *_model(result)]
    return [*lines, *_share(result.name, result.arguments)] if sharing else lines


def how_to_share(name: str, arguments: Sequence[str]) -> list[str]:
    """Return how a study's report is passed on; `arguments` are the options with which commands find the study."""
    return [f"To pass it on: the page alone can be mailed; {_bundle(name, arguments)} packs everything."]


def _share(name: str, arguments: Sequence[str]) -> list[str]:
    """Return the same below an answer."""
    return [
        "Share   the page alone can be mailed; everything in one file:",
        f"        {_bundle(name, arguments)}",
    ]


def _bundle(name: str, arguments: Sequence[str]) -> str:
    return shlex.join(["studies", "report", name, "--bundle", f"{name}.zip", *arguments])


def _verdict(verdict: ToldVerdict) -> list[str]:
    """Return the verdict and, each on lines of its own, its facts."""
    lines = _wrapped(verdict.sentence, first="  ", rest="  ")
    for fact in verdict.facts:
        lines += _wrapped(fact, first="  - ", rest="    ")
    return lines


def _model(result: Result) -> list[str]:
    """Return where the model lies and the command that uses it; nothing where none was made."""
    folder = result.report_path.parent / "models" / BEST
    if result.report["best"] is None or not (folder / "manifest.json").is_file():
        return []
    return [f"Model   {folder}", f"        {shlex.join(['studies', 'predict', str(folder), '--input'])} FILE"]


def _command(result: Result, name: str) -> str:
    return shlex.join(["studies", name, result.name, *result.arguments])


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
    """Return the lines of a text, in which no number parts from its unit."""
    tied = re.sub(r"(?<=\d) (?=(?:%|nats)(?!\w))", _TIE, wording.printable(text))
    lines = textwrap.wrap(tied, WIDTH, initial_indent=first, subsequent_indent=rest)
    return [line.replace(_TIE, " ") for line in lines]
