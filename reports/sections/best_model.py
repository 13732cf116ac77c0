"""The best model: confusion matrix, precision and recall by class, calibration; over the blocks of its networks."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from reports.plots import confusion, reliability
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.results.best import nothing_to_take
from reports.sections.answer import best_params, scores_table
from reports.sections.parts.section import Cell, Column, ReportContext, Section, Table
from reports.wording.words import count, decimals_between, number, plural


def best_model(report_context: ReportContext) -> Section:
    """How the networks of the best configuration err on their test parts."""
    found = report_context.report["evaluation"]
    figures = [] if found is None else [_confusion(found), _reliability(found)]
    tables = [] if found is None else [_scores(found), _by_class(found)]
    context = {
        "said": None if found is None else _said(found),
        "tables": tables,
        "failed": _failed(report_context),
        "best": best_params(report_context.report["best"]),
        "found": report_context.report["found"],
        "scores": scores_table(
            report_context.report["best"], report_context.report["baseline"], report_context.inputs
        ),
    }
    return Section(
        slug="model", title="The best configuration and how it errs", figures=figures, context=context
    )


def _failed(report_context: ReportContext) -> str | None:
    """What is said instead where none of its networks has learned anything."""
    best = report_context.report["best"]
    if best is None or not nothing_to_take(best):
        return None
    return f"Each of its networks {report_context.inputs.outcome.said_of_failures}, so how they err says nothing."


def _said(found: Mapping[str, Any]) -> str:
    head = (
        f"Its {plural(found['num_blocks'], 'network')}, one a block, predicted {count(found['num_examples'])} test "
        f"examples and got {count(found['num_right'])} right; blocks share examples."
    )
    error = found["calibration_error"]
    span = _spread(error["mean"], error["low"], error["high"])
    return f"{head} Confidence is off accuracy by {span} on average (expected calibration error, mean over blocks)."


def _confusion(found: Mapping[str, Any]) -> Figure:
    classes, frame = found["classes"], confusion.tidy(found["confusion"], found["classes"])
    side = max(220.0, min(21.0 * len(classes), 420.0))
    panel = draw_panel(
        partial(confusion.draw, frame, classes=classes),
        Sheet(
            width=side + 40 + 5 * max(map(len, classes)),
            height=side + 44,
            left=34 + 5 * max(map(len, classes)),
            right=6,
            top=6,
            bottom=38,
        ),
        prefix="confusion",
    )
    most = found["most_confused"]
    title = (
        "Every prediction is right"
        if most is None
        else f"Taken for another class most often: {most['true']} for {most['predicted']}, {count(most['count'])} of "
        f"{count(most['num'])}"
    )
    return Figure(
        slug="confusion",
        title=title,
        caption=(
            "Rows: true classes; columns: predicted ones. Counts of all blocks together; wrong ones are shaded "
            "by their share of the true class."
        ),
        num=_num(found),
        alt=f"Confusion matrix of {plural(len(classes), 'class', 'classes')}. {title}",
        panels=(panel,),
        data=frame,
        wide=True,
        columns=1,
    )


def _reliability(found: Mapping[str, Any]) -> Figure:
    frame = reliability.tidy(found["calibration"])
    panel = draw_panel(
        partial(reliability.draw, frame),
        Sheet(width=272, height=288, left=30, right=10, top=24, bottom=36),
        heading="Accuracy",
        note="share of right answers",
        prefix="reliability",
    )
    full = max(found["calibration"], key=lambda row: row["count"])
    listed = (
        f"of {count(full['count'])} examples at a confidence of {full['low']:g} to {full['high']:g}, "
        f"{number(None if full['accuracy'] is None else 100 * full['accuracy'], 1)} % are right"
    )
    return Figure(
        slug="reliability",
        title=f"Calibration: {listed}",
        caption=(
            "Dots: accuracy of all examples in a bin of confidence; bars: 95 % interval over blocks, where two or "
            "more have examples there. Dashed: confidence equals accuracy. Below: examples in each bin, on a log "
            "scale."
        ),
        num=_num(found),
        alt=f"Accuracy by confidence. In the fullest bin, {listed}",
        panels=(panel,),
        data=frame,
        columns=1,
    )


def _num(found: Mapping[str, Any]) -> str:
    return f"n = {plural(found['num_blocks'], 'block')}, {count(found['num_examples'])} predictions"


def _scores(found: Mapping[str, Any]) -> Table:
    columns = [Column(name="score", is_number=False), Column(name="mean and 95 % interval")]
    rows = [
        [
            Cell(text=f"{score['title']}, nats" if score["name"] == "test_loss" else score["title"]),
            Cell(
                text=_spread(score["mean"], score["low"], score["high"]),
                value=score["mean"],
            ),
        ]
        for score in found["scores"]
    ]
    caption = f"Its networks on their test parts, over {plural(found['num_blocks'], 'block')}"
    return Table(caption=caption, columns=columns, rows=rows, folded=True)


def _by_class(found: Mapping[str, Any]) -> Table:
    columns = [
        Column(name="class", is_number=False),
        Column(name="examples"),
        Column(name="precision", unit="mean and 95 % interval"),
        Column(name="recall", unit="mean and 95 % interval"),
    ]
    rows = [
        [
            Cell(text=row["name"]),
            Cell(text=count(row["num"]), value=row["num"]),
            *(
                Cell(text=_spread(*(row[f"{what}{end}"] for end in ("", "_low", "_high"))), value=row[what])
                for what in ("precision", "recall")
            ),
        ]
        for row in found["by_class"]
    ]
    caption = f"Precision and recall by class, over {plural(found['num_blocks'], 'block')}"
    return Table(caption=caption, columns=columns, rows=rows, folded=True)


def _spread(mean: float | None, low: float | None, high: float | None) -> str:
    """A score with its interval."""
    if low is None or high is None:
        return number(mean)
    places = decimals_between(low, high)
    return f"{number(mean, places)} [{number(low, places)}, {number(high, places)}]"
