"""The page of `studies monitor`: have the data changed since the model was measured?"""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from reports.pages.explained import Explained
from reports.pages.rendering import environment, inline, page_parts, write_page
from reports.plots.monitoring import two_histograms, two_shares
from reports.plots.style.canvas import Panel, Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.theme import Theme
from reports.sections.parts.section import Cell, Column, Table
from reports.wording.drift_words import QUESTIONS, answer, drifted, facts, order
from reports.wording.phrases import listed
from reports.wording.words import MISSING, count, number, p_value, plural, small

FEW = 12
"""Features whose table is open at first."""
SAMPLES = ("before", "after")
_ROW = 19.0  # points
_LONGEST_HEADING = 30


@dataclass(frozen=True, kw_only=True)
class MonitorInputs:
    """What the page is made from: the record (`DriftRecord.as_json()`), and what was compared with what.

    `kind` is the model's kind of input; `baseline` the file compared with, None for the model's own reference.
    `generated_at` is a time in ISO 8601, UTC.
    """

    record: Mapping[str, Any]
    kind: str
    model: str
    input: str
    baseline: str | None
    generated_at: str

    @property
    def reference(self) -> str:
        """What was compared with, in words."""
        rows = plural(self.record["num_before"], "row")
        return f"{rows} of the test part" if self.baseline is None else f"{rows} of {self.baseline}"


def write_monitor_page(inputs: MonitorInputs, path: Path) -> Path:
    """Write the page to `path` and all its numbers beside it as JSON; return the path of the JSON.

    Both files appear whole or not at all. Raises OSError where the folder cannot be written.
    """
    told = {
        "model": inputs.model,
        "input": inputs.input,
        "baseline": inputs.baseline,
        "kind": inputs.kind,
        "generated_at": inputs.generated_at,
        "answer": answer(inputs.record, inputs.kind),
        **inputs.record,
    }
    numbers = path.with_suffix(".json")
    write_page(numbers, (json.dumps(told, indent=2, allow_nan=False) + "\n").encode())
    write_page(path, _page(inputs, numbers.name).encode())
    return numbers


def _page(inputs: MonitorInputs, numbers: str) -> str:
    record = inputs.record
    theme = Theme.of({"sample": SAMPLES})
    with warnings.catch_warnings():
        # Names may be in any script; the page's reader has the letters that the drawing library's own font lacks.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        figures = _figures(inputs, theme)
    classes: dict[str, str] = {}
    drawings = {figure.slug: inline(figure, theme, classes) for figure in figures}
    samples = {name: theme.style("sample", name) for name in SAMPLES}
    return (
        environment()
        .get_template("monitor.html.j2")
        .render(
            inputs=inputs,
            record=record,
            answer=answer(record, inputs.kind),
            facts=facts(record, inputs.kind),
            figures=figures,
            drawings=drawings,
            samples=samples,
            explained=Explained(),
            questions=_questions(record),
            named=_features(drifted(record), "What has changed", folded=len(drifted(record)) > FEW),
            features=_features(
                sorted(record["features"], key=order),
                "Every feature",
                folded=len(record["features"]) > FEW or bool(drifted(record)),
            ),
            confidence=_confidence(record),
            classes=_classes(record),
            thresholds=_thresholds(record),
            numbers=numbers,
            **page_parts(theme, classes),
        )
    )


def _figures(inputs: MonitorInputs, theme: Theme) -> list[Figure]:
    """Confidence in both samples, and the features that drifted or changed most."""
    shown = inputs.record["distributions"]
    num = f"n\u00a0=\u00a0{count(inputs.record['num_compared'])} rows, beside {inputs.reference}"
    before, after = (inputs.record["confidence"][name] for name in SAMPLES)
    figures = [
        Figure(
            slug="confidence",
            title=f"Mean confidence: {number(before['mean'], 2)} before, {number(after['mean'], 2)} now",
            caption="Rows by the probability of the predicted class; filled: the reference, line: the rows watched.",
            num=num,
            alt=f"Histograms of confidence. Mean {number(before['mean'], 2)} before, {number(after['mean'], 2)} now",
            panels=(_panel(shown[0], theme, "c0"),),
            data=_data(shown[:1]),
            columns=1,
        )
    ]
    if len(shown) > 1:
        names = [each["name"] for each in shown[1:]]
        head = "What changed most" if drifted(inputs.record) else "The largest distances found"
        title = f"{head}: {listed(names)}"
        figures.append(
            Figure(
                slug="features",
                title=title,
                caption=(
                    "Numbers: filled, the reference; line, the rows watched; the middle 98 % of both, what lies "
                    "outside in the end bins. Categories and words: a mark for each sample’s share."
                ),
                num=num,
                alt=f"Distributions in both samples of {listed(names)}",
                panels=tuple(_panel(each, theme, f"f{place}") for place, each in enumerate(shown[1:])),
                data=_data(shown[1:]),
            )
        )
    return figures


def _data(shown: list[Mapping[str, Any]]) -> pd.DataFrame:
    frames = [
        pd.DataFrame({"name": each["name"], "before": each["before"], "after": each["after"]})
        for each in shown
    ]
    return pd.concat(frames, ignore_index=True)


def _panel(shown: Mapping[str, Any], theme: Theme, prefix: str) -> Panel:
    """Draw one distribution, each on a scale of its own."""
    before, after = (theme.style("sample", name) for name in SAMPLES)
    most = max([*shown["before"], *shown["after"], 0.01])
    name = shown["name"]
    heading = name if len(name) <= _LONGEST_HEADING else name[: _LONGEST_HEADING - 1] + "…"
    if shown["edges"]:
        frame = two_histograms.tidy(shown["edges"], shown["before"], shown["after"])
        return draw_panel(
            partial(two_histograms.draw, frame, before=before, after=after, most=most),
            Sheet(height=188, top=42, bottom=24),
            heading=heading,
            note="% of rows",
            prefix=prefix,
        )
    names = two_shares.tidy(shown["labels"], shown["before"], shown["after"])
    left = 16 + 5.6 * max(min(len(each), two_shares.LONGEST) for each in shown["labels"])
    return draw_panel(
        partial(two_shares.draw, names, before=before, after=after, most=most),
        Sheet(height=max(110.0, 66 + _ROW * len(names)), left=left, top=42, bottom=24),
        heading=heading,
        note="% of rows",
        prefix=prefix,
    )


def _questions(record: Mapping[str, Any]) -> Table:
    """Each question with its answer, its p, and the false alarms that it may give."""
    columns = [
        Column(name="question", is_number=False),
        Column(name="drift", is_number=False),
        Column(name="p", unit="for all its tests"),
        Column(name="tests"),
        Column(name="false alarms", unit="% at most"),
    ]
    rows = [
        [
            Cell(text=QUESTIONS[each["name"]]),
            Cell(text=("yes" if each["is_drift"] else "no") if each["num_tests"] else "not asked"),
            Cell(text=p_value(each["p"]) if each["num_tests"] else MISSING, value=each["p"]),
            Cell(text=count(each["num_tests"]), value=each["num_tests"]),
            Cell(text=f"{100 * each['alpha']:.3g}", value=each["alpha"]),
        ]
        for each in record["questions"]
    ]
    return Table(caption="What was asked", columns=columns, rows=rows)


def _features(features: list[Mapping[str, Any]], caption: str, *, folded: bool) -> Table:
    columns = [
        Column(name="feature", is_number=False),
        Column(name="drift", is_number=False),
        Column(name="effect", unit="D, V or change"),
        Column(name="PSI"),
        Column(name="p", unit="adjusted"),
        Column(name="median", unit="before"),
        Column(name="median", unit="now"),
    ]
    gaps = SAMPLES if any(each[f"missing_{name}"] for each in features for name in SAMPLES) else ()
    columns += [
        Column(name="missing", unit=f"%, {told}") for _, told in zip(gaps, ("before", "now"), strict=False)
    ]
    rows = [
        [
            Cell(text=each["name"]),
            Cell(text="yes" if each["is_drift"] else "no"),
            Cell(text=number(each["effect"], 3), value=each["effect"]),
            Cell(text=number(each["psi"], 3), value=each["psi"]),
            Cell(
                text=p_value(min(each["p_adjusted"], each["missing_p_adjusted"])),
                value=min(each["p_adjusted"], each["missing_p_adjusted"]),
            ),
            *(Cell(text=small(each[f"middle_{name}"], 4), value=each[f"middle_{name}"]) for name in SAMPLES),
            *(
                Cell(text=number(100 * each[f"missing_{name}"], 1), value=each[f"missing_{name}"])
                for name in gaps
            ),
        ]
        for each in features
    ]
    return Table(caption=caption, columns=columns, rows=rows, folded=folded)


def _confidence(record: Mapping[str, Any]) -> Table:
    low = f"{record['thresholds']['low_confidence']:g}"
    columns = [
        Column(name="sample", is_number=False),
        *(Column(name=name) for name in ("mean", "least", "most", "spread")),
        Column(name=f"below {low}", unit="rows"),
        Column(name=f"below {low}", unit="% of rows"),
    ]
    rows = [
        [
            Cell(text=told),
            *(Cell(text=number(found[name], 3)) for name in ("mean", "least", "most", "spread")),
            Cell(text=count(found["num_low"])),
            Cell(text=number(100 * found["share_low"], 1)),
        ]
        for told, found in (
            ("before (reference)", record["confidence"]["before"]),
            ("now (watched)", record["confidence"]["after"]),
        )
    ]
    return Table(caption="Confidence", columns=columns, rows=rows)


def _classes(record: Mapping[str, Any]) -> Table:
    found = record["predictions"]
    totals = [sum(found[name]) for name in SAMPLES]
    columns = [
        Column(name="predicted class", is_number=False),
        Column(name="before", unit="rows"),
        Column(name="before", unit="%"),
        Column(name="now", unit="rows"),
        Column(name="now", unit="%"),
    ]
    rows = [
        [
            Cell(text=name),
            Cell(text=count(old)),
            Cell(text=number(100 * old / totals[0], 1)),
            Cell(text=count(new)),
            Cell(text=number(100 * new / totals[1], 1)),
        ]
        for name, old, new in zip(found["classes"], found["before"], found["after"], strict=True)
    ]
    return Table(caption="Predicted classes", columns=columns, rows=rows, folded=len(rows) > FEW)


def _thresholds(record: Mapping[str, Any]) -> Table:
    rows = [
        [Cell(text=name.replace("_", " ")), Cell(text=f"{value:g}")]
        for name, value in record["thresholds"].items()
    ]
    columns = [Column(name="threshold", is_number=False), Column(name="value")]
    return Table(caption="Thresholds", columns=columns, rows=rows, folded=True)
