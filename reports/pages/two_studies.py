"""One page that sets two studies side by side: contrasts where they share them, else what each found and cost."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from reports.inputs.inputs import ReportInputs
from reports.inputs.measures import Measure
from reports.pages.explained import Explained
from reports.pages.exploring import Exploring
from reports.pages.json_report import as_json
from reports.pages.rendering import environment, inline, page_parts, write_csv, write_page
from reports.pages.side_by_side import FAMILIES, side_by_side
from reports.plots import forest_pair
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.theme import Theme
from reports.results.best import describe, spread
from reports.sections.parts.section import Cell, Column, Table
from reports.sections.performance import shaded
from reports.statistics.gates import deciding
from reports.wording.phrases import capital, speaking_of
from reports.wording.words import MISSING, count, difference_name, duration, interval, percent, plural


def write_comparison(inputs_a: ReportInputs, inputs_b: ReportInputs, folder: Path) -> Path:
    """Write comparison.html, comparison.json, figures/ and frames/ into `folder` (made if missing); the page's path.

    Apart from the date, the same inputs give the same bytes; the page is written last. Raises AccountingError where a
    record contradicts itself and OSError where the folder cannot be written.
    """
    models = {str(inputs.plan.get("model", "mlp")) for inputs in (inputs_a, inputs_b)}
    with speaking_of(models.pop() if len(models) == 1 else "either"):
        record = side_by_side(inputs_a, inputs_b)
    size, outcome = inputs_a.smallest_effect, inputs_a.outcome
    figures = [
        figure for family in FAMILIES if (figure := _figure(record, family, size, outcome)) is not None
    ]
    for figure in figures:
        write_page(folder / "figures" / f"{figure.slug}.svg", figure.standalone_svg().encode())
        write_page(folder / "figures" / f"{figure.slug}.png", figure.png())
        write_csv(folder / "frames" / f"{figure.slug}.csv", figure.data)
    write_page(folder / "comparison.json", as_json(record).encode())
    page = folder / "comparison.html"
    write_page(page, _render(record, figures, outcome).encode())
    return page


def _render(record: Mapping[str, Any], figures: Sequence[Figure], outcome: Measure) -> str:
    theme, classes = Theme(), dict[str, str]()
    exploring = Exploring()
    drawings = {figure.slug: inline(figure, theme, classes, exploring=exploring) for figure in figures}
    return (
        environment()
        .get_template("comparison.html.j2")
        .render(
            record=record,
            figures=figures,
            drawings=drawings,
            exploring=exploring,
            explained=Explained(),
            contrasts=[table for family in FAMILIES if (table := _contrasts(record, family, outcome)).rows],
            said=_said(record),
            best=_best(record),
            budgets=_budgets(record),
            verdicts=_verdicts(record),
            plans=_plans(record),
            **page_parts(theme, classes),
        )
    )


def _names(record: Mapping[str, Any]) -> list[str]:
    return [study["study"] for study in record["studies"]]


def _figure(record: Mapping[str, Any], family: str, size: float | None, outcome: Measure) -> Figure | None:
    shared = [row for row in record["shared"] if row["family"] == family]
    if not shared:
        return None
    names, words = _names(record), FAMILIES[family]
    frame = forest_pair.tidy(shared, names)
    panel = draw_panel(
        partial(forest_pair.draw, frame, smallest_effect=size, unit=outcome.axis),
        Sheet(width=272, height=46 + forest_pair.ROW * max(len(shared), 2), left=4, right=8, top=6),
        prefix=f"pair-{family.replace('_', '-')}",
    )
    blocks = ", ".join(
        f"{_span([row[side]['num_blocks'] for row in shared])} in {name}"
        for side, name in zip(("a", "b"), names, strict=True)
    )
    ends = "; ".join(f"{row['label']} {row['study']} {row['estimate']:.3f}" for _, row in frame.iterrows())
    return Figure(
        slug=f"side_by_side_{family}",
        title=f"The shared differences, {words}",
        caption=(
            f"Later level minus earlier one. Round, above: {names[0]}; square, below: {names[1]}. Bars: the "
            f"interval that decides what each study says{shaded(size, outcome)}."
        ),
        num=f"n = blocks: {blocks}",
        alt=f"Differences in {outcome.with_unit}, {words}, in two studies. {ends}",
        panels=(panel,),
        data=frame,
        columns=1,
    )


def _span(numbers: Sequence[int]) -> str:
    least, most = min(numbers), max(numbers)
    return count(most) if least == most else f"{count(least)} to {count(most)}"


def _contrasts(record: Mapping[str, Any], family: str, outcome: Measure) -> Table:
    columns = [Column(name="difference", is_number=False)]
    for name in _names(record):
        columns += [
            Column(name=name, unit=f"{outcome.unit}, with interval".removeprefix(", ")),
            Column(name="gate", is_number=False),
        ]
    rows = []
    for row in record["shared"]:
        if row["family"] != family:
            continue
        levels = [
            tuple(each) if isinstance(each, list) else each for each in (row["level_a"], row["level_b"])
        ]
        cells = [Cell(text=difference_name(row["factor"], *levels))]
        for side in (row["a"], row["b"]):
            low, high = (side[name] for name in deciding(side))
            shown = interval(side["estimate"], low, high)
            cells += [Cell(text=shown, value=side["estimate"]), Cell(text=side["gate"] or MISSING)]
        rows.append(cells)
    return Table(caption=f"{capital(outcome.title)}, {FAMILIES[family]}", columns=columns, rows=rows)


def _said(record: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each study's own sentences about the shared contrasts; none where its claims are withheld."""
    found = []
    for name, key in zip(_names(record), ("a", "b"), strict=True):
        sentences = [
            (row[key]["sentence"], row[key]["gate"]) for row in record["shared"] if row[key]["sentence"]
        ]
        found.append((name, sentences))
    return found


def _table(caption: str, record: Mapping[str, Any], rows: Mapping[str, Sequence[str]]) -> Table:
    """What each study has in a column of its own."""
    columns = [
        Column(name="what", is_number=False),
        *(Column(name=name, is_number=False) for name in _names(record)),
    ]
    cells = [[Cell(text=name), *(Cell(text=value) for value in values)] for name, values in rows.items()]
    return Table(caption=caption, columns=columns, rows=cells)


def _best(record: Mapping[str, Any]) -> Table:
    best = [study["best"] for study in record["studies"]]
    names = _score_names(record)

    def row(name: str, scale: float = 1) -> list[str]:
        return [MISSING if each is None or name not in each else spread(each, name, scale) for each in best]

    return _table(
        "Best configurations, scores with fresh seeds: mean and 95 % interval over blocks",
        record,
        {
            "configuration": [MISSING if each is None else describe(each["params"]) for each in best],
            **{head: row(name, scale) for head, (name, scale) in names.items()},
            "blocks": [MISSING if each is None else count(each["num_blocks"]) for each in best],
        },
    )


def _score_names(record: Mapping[str, Any]) -> dict[str, tuple[str, float]]:
    """The scores of the best configurations by heading: a classifier's, then those of plans with own metrics."""
    own = record.get("own", [[False, {}]])
    classifier = {
        "validation log-loss, nats": ("val_loss", 1.0),
        "test log-loss, nats": ("test_loss", 1.0),
        "test error, %": ("test_error", 100.0),
    }
    found: dict[str, tuple[str, float]] = {} if all(is_own for is_own, _ in own) else classifier
    for is_own, outcome in own:
        if is_own:
            found |= {", ".join(filter(None, (outcome["title"], outcome["unit"]))): (outcome["name"], 1.0)}
    return found


def _budgets(record: Mapping[str, Any]) -> Table:
    studies = record["studies"]
    return _table(
        "Budgets",
        record,
        {
            "state": [study["state"] for study in studies],
            "data and model": [f"{study['data']}, {study['model']}" for study in studies],
            "epochs of a confirmed network": [count(study["epochs_each"]) for study in studies],
            "trials ended": [f"{count(study['ended'])} of {count(study['planned'])}" for study in studies],
            "networks": [count(study["networks"]) for study in studies],
            "network-epochs": [count(study["epochs"]) for study in studies],
            "wall time": [duration(study["wall_seconds"]) for study in studies],
            "busy time of workers": [duration(study["busy_seconds"]) for study in studies],
        },
    )


def _verdicts(record: Mapping[str, Any]) -> Table:
    studies = record["studies"]
    names = list(dict.fromkeys(name for study in studies for name in study["verdicts"]))
    rows = {
        name: [
            f"{percent(study['verdicts'].get(name, 0) / study['num_judged'], 1)} "
            f"({count(study['verdicts'].get(name, 0))} of {count(study['num_judged'])})"
            if study["num_judged"]
            else MISSING
            for study in studies
        ]
        for name in names
    }
    return _table("Verdicts on confirmed networks after training", record, rows)


def _plans(record: Mapping[str, Any]) -> Table:
    rows = {row["field"]: [_text(row["a"]), _text(row["b"])] for row in record["differences"]}
    caption = f"The plans differ in {plural(len(rows), 'field')}" if rows else "The plans are the same"
    table = _table(caption, record, rows)
    return Table(caption=table.caption, columns=table.columns, rows=table.rows, folded=True)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return MISSING if value is None else f"{value:g}" if isinstance(value, float) else str(value)
