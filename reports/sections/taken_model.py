"""The model to take away: which network it is, how to use it, how it does, and what it says of single examples."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from reports.plots import reliability
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.sections.parts.curves import CURVES, curve_panels
from reports.sections.parts.section import Cell, Column, ReportContext, Section, Table
from reports.wording.words import count, number, percent, plural


@dataclass(frozen=True, kw_only=True)
class Example:
    """One example and what the model says of it; `is_right` says whether that is true."""

    row: int
    says: str
    truth: str
    confidence: str
    is_right: bool
    picture: str | None
    text: str | None
    words: str


def taken_model(report_context: ReportContext) -> Section | None:
    """The network in models/best; None where there is none."""
    found = report_context.report["model"]
    if found is None:
        return None
    classes = found["classes"]
    return Section(
        slug="taken",
        title="The model to take away",
        figures=[_curves(report_context, found), _calibrated(found)],
        context={
            "said": _said(found),
            "confidence": _confidence(found),
            "tables": [_scores(found), _by_class(found)],
            "samples": [_example(each, classes) for each in found["samples"]],
            "mistakes": [_example(each, classes) for each in found["mistakes"]],
            "kind": found["kind"],
        },
    )


def _said(found: Mapping[str, Any]) -> str:
    return (
        f"It is {found['chosen']}. Of the {count(found['num_examples'])} examples of its own test part it gets "
        f"{percent(found['accuracy'], 1)} right."
    )


def _confidence(found: Mapping[str, Any]) -> str:
    confidence = found["confidence"]
    off, softened = found["calibration_error"], found["calibrated"]["calibration_error"]
    return (
        f"Its confidence is {percent(confidence['mean'], 1)} on average, and below "
        f"{percent(confidence['below'], 0)} for {plural(confidence['num_below'], 'prediction')} "
        f"({percent(confidence['share_below'], 1)}). Confidence is off accuracy by {number(100 * off, 1)} points on "
        f"average, and with the stored temperature of {number(found['temperature'], 2)} by {number(100 * softened, 1)}."
    )


def _example(each: Mapping[str, Any], classes: list[str]) -> Example:
    return Example(
        row=each["row"],
        says=classes[each["predicted"]],
        truth=classes[each["true"]],
        confidence=percent(each["confidence"], 0),
        is_right=each["predicted"] == each["true"],
        picture=each.get("picture"),
        text=each.get("text"),
        words=", ".join(word for word, _ in each.get("words", ())),
    )


def _curves(report_context: ReportContext, found: Mapping[str, Any]) -> Figure:
    """The losses and accuracies of that very network."""
    inputs = report_context.inputs
    rows = inputs.replicates[inputs.replicates["trial_number"] == found["trial_number"]]
    mine = rows[rows["block"] == found["block"]]
    replicate = int(mine["replicate"].iloc[0]) if len(mine) else -1
    epochs = inputs.epochs[
        (inputs.epochs["trial_number"] == found["trial_number"]) & (inputs.epochs["replicate"] == replicate)
    ]
    num_epochs = plural(int(epochs["epoch"].max()) if len(epochs) else 0, "epoch")
    panels, drawn = curve_panels(epochs, CURVES, prefix="network")
    return Figure(
        slug="model-curves",
        title="How it was trained: its losses and accuracies over the epochs",
        caption="Solid: validation; dashed: training, with dropout and augmentation if there are any.",
        num=f"n = 1 network, {num_epochs}",
        alt=f"Training and validation log-loss and accuracy of one network over {num_epochs}",
        panels=tuple(panels),
        data=drawn,
    )


def _calibrated(found: Mapping[str, Any]) -> Figure:
    frame = reliability.tidy(
        [{**each, "accuracy_low": None, "accuracy_high": None} for each in found["calibration"]]
    )
    panel = draw_panel(
        partial(reliability.draw, frame),
        Sheet(width=272, height=288, left=30, right=10, top=24, bottom=36),
        heading="Accuracy",
        note="share of right answers",
        prefix="calibrated",
    )
    error = number(100 * found["calibration_error"], 1)
    return Figure(
        slug="model-calibration",
        title=f"This network’s confidence is off its accuracy by {error} points on average",
        caption=(
            "Dots: accuracy of the examples in a bin of confidence. Dashed: confidence equals accuracy. Below: "
            "examples in each bin, on a log scale."
        ),
        num=f"n = {count(found['num_examples'])} predictions",
        alt=f"Accuracy by confidence of one network; the expected calibration error is {error} points",
        panels=(panel,),
        data=frame,
        columns=1,
    )


def _scores(found: Mapping[str, Any]) -> Table:
    has_more = len(found["classes"]) > 2
    calibrated = found["calibrated"]
    rows = [
        ("accuracy", percent(found["accuracy"], 1), percent(found["accuracy"], 1)),
        ("log-loss, nats", number(found["log_loss"], 3), number(calibrated["log_loss"], 3)),
        *([("right among its first two", *[percent(found["top2_accuracy"], 1)] * 2)] if has_more else []),
        ("F1, mean over classes", *[number(found["macro_f1"], 3)] * 2),
        (
            "calibration error, points",
            number(100 * found["calibration_error"], 1),
            number(100 * calibrated["calibration_error"], 1),
        ),
        (
            f"predictions below {percent(found['confidence']['below'], 0)}",
            percent(found["confidence"]["share_below"], 1),
            percent(calibrated["confidence"]["share_below"], 1),
        ),
    ]
    columns = [
        Column(name="score", is_number=False),
        Column(name="as it is"),
        Column(name="with temperature"),
    ]
    return Table(
        caption="Its scores on its own test part",
        columns=columns,
        rows=[[Cell(text=text) for text in row] for row in rows],
        folded=True,
    )


def _by_class(found: Mapping[str, Any]) -> Table:
    names = ("precision", "recall", "f1")
    columns = [
        Column(name="class", is_number=False),
        Column(name="examples"),
        *(Column(name="F1" if name == "f1" else name) for name in names),
    ]
    rows = [
        [
            Cell(text=row["name"]),
            Cell(text=count(row["num"]), value=row["num"]),
            *(Cell(text=number(row[name], 3), value=row[name]) for name in names),
        ]
        for row in found["by_class"]
    ]
    return Table(caption="Precision, recall and F1 by class", columns=columns, rows=rows, folded=True)
