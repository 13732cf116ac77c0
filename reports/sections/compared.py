"""What was compared: factors and levels, what was tuned for each, data, training and cost, in one small list."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.inputs.early_stopping import stops_early
from reports.inputs.inputs import ReportInputs
from reports.sections.answer import about_looks, scope_spoken, tiles
from reports.sections.parts.section import ReportContext, Section
from reports.wording.phrases import factor_spoken, listed
from reports.wording.words import count, factor_name, level_name, level_phrase, plural, small


def compared(report_context: ReportContext) -> Section:
    """The design in a few lines, and the four numbers of its cost."""
    inputs = report_context.inputs
    context = {
        "rows": [(name, text) for name, text in _rows(inputs) if text],
        "scope": scope_spoken(report_context),
        "look": about_looks(report_context),
        "tiles": tiles(report_context.report["headline"]),
    }
    return Section(slug="compared", title="What was compared", context=context)


def _rows(inputs: ReportInputs) -> list[tuple[str, str]]:
    """Name and text of each line; an empty text where there is nothing to say."""
    plan = inputs.plan
    several = {name: levels for name, levels in inputs.factors.items() if len(levels) > 1}
    alone = {name: levels[0] for name, levels in inputs.factors.items() if len(levels) == 1}
    fixed = {**alone, **{name: value for name, value in plan["fixed"].items() if value is not None}}
    levels = "; ".join(f"{factor_name(name)} {_levels(values)}" for name, values in several.items())
    what = "Compared" if inputs.has_cells else "Searched"
    return [
        (what, levels),
        ("Tuned" + (" for each combination" if inputs.has_cells else ", too"), _tuned(inputs)),
        ("The same for all", ", ".join(level_phrase(name, value) for name, value in fixed.items())),
        ("Judged by", _judged(inputs)),
    ]


def _levels(levels: Sequence[Any]) -> str:
    return listed([level_name(tuple(level) if isinstance(level, list) else level) for level in levels])


def _tuned(inputs: ReportInputs) -> str:
    parts = []
    for name, found in inputs.plan["nuisances"].items():
        if name in inputs.factors:
            continue
        ranges = _ranges(found, inputs)
        parts.append(factor_spoken(name) + (f" ({ranges})" if ranges else ""))
    return listed(parts)


def _ranges(found: Any, inputs: ReportInputs) -> str:
    """The range of a nuisance, or each optimizer's."""
    if not isinstance(found, Mapping):
        return ""
    if "low" in found:
        return f"{small(found['low'])} to {small(found['high'])}"
    compared = inputs.factors.get("optimizer") or [inputs.plan["fixed"].get("optimizer")]
    by_range: dict[str, list[str]] = {}
    for name, each in found.items():
        if isinstance(each, Mapping) and "low" in each and name in compared:
            by_range.setdefault(f"{small(each['low'])} to {small(each['high'])}", []).append(level_name(name))
    return "; ".join(f"{span} for {listed(names)}" for span, names in by_range.items())


def _judged(inputs: ReportInputs) -> str:
    """By which score, which way is better, and after how long."""
    outcome, plan = inputs.outcome, inputs.plan
    better = "lower" if outcome.lower_is_better else "higher"
    epochs = plural(int(plan["confirm"]["epochs"]), "epoch")
    at_most = "up to " if stops_early(plan) else ""
    size = inputs.smallest_effect
    matters = "" if size is None else f"; differences within {outcome.in_unit(f'{size:g}')} count as equal"
    guessing = outcome.in_unit(f"{inputs.chance_loss:.2f}")
    classes = "" if inputs.own else f"; guessing among {count(inputs.num_classes)} classes scores {guessing}"
    return f"{outcome.title} after {at_most}{epochs}, {better} is better{matters}{classes}"
