"""Stability: gradient flow against theory, layer x epoch heat maps, verdicts and growth by level."""

from reports.cube import plain
from reports.plots.signal import relative_signal
from reports.sections.gradient_flow import flow_figure
from reports.sections.heat_map import heat_figure
from reports.sections.section import Cell, Column, Material, Section, Table
from reports.sections.tables import contrast_table
from reports.words import count, factor_name, number, percent


def stability(material: Material) -> Section:
    """Where in depth and when in training gradients grow or vanish."""
    factors = material.inputs.factors
    if material.results.growths.empty:
        return Section(slug="stability", title="Stability", context={"tables": []})
    signal = relative_signal(
        material.inputs.gradients, material.results.rows.assign(phase="confirm"), list(factors)
    )
    figures = [flow_figure(material, signal, at_end) for at_end in (False, True)]
    figures.append(heat_figure(material, signal))
    tables = [
        contrast_table(
            "ln total growth at initialisation",
            "ln",
            material.results.growth_contrasts,
            confidence=material.results.look.confidence,
            folded=True,
        ),
        _theory_table(material),
        _verdict_table(material),
    ]
    context = {"tables": [table for table in tables if table.rows]}
    return Section(slug="stability", title="Stability", figures=figures, context=context)


def _theory_table(material: Material) -> Table:
    theory = material.results.theory
    columns = [
        *(Column(name=factor_name(name), is_number=False) for name in material.inputs.factors),
        Column(name="growth measured", unit="per block"),
        Column(name="theory", unit="per block"),
        Column(name="ratio"),
        Column(name="networks"),
    ]
    rows = [
        [
            *(
                Cell(text=material.theme.style(name, plain(row[name])).name)
                for name in material.inputs.factors
            ),
            Cell(text=number(row["measured"]), value=row["measured"]),
            Cell(text=number(row["predicted"]), value=row["predicted"]),
            Cell(text=number(row["ratio"]), value=row["ratio"]),
            Cell(text=count(row["num_replicates"]), value=float(row["num_replicates"])),
        ]
        for row in theory.to_dict("records")
    ]
    return Table(
        caption="Growth at initialisation, measured and predicted", columns=columns, rows=rows, folded=True
    )


def _verdict_table(material: Material) -> Table:
    verdicts = material.results.verdicts
    columns = [
        Column(name="factor", is_number=False),
        Column(name="level", is_number=False),
        Column(name="when", is_number=False),
        Column(name="verdict", is_number=False),
        Column(name="networks"),
        Column(name="share"),
        Column(name="95 % interval"),
    ]
    rows = [
        [
            Cell(text=factor_name(row["factor"])),
            Cell(text=material.theme.style(row["factor"], plain(row["level"])).name),
            Cell(text="at the start" if row["when"] == "initial" else "trained"),
            Cell(text=str(row["verdict"])),
            Cell(text=f"{row['count']} of {row['num']}", value=float(row["count"])),
            Cell(text=percent(row["share"], 0), value=row["share"]),
            Cell(
                text=f"{percent(row['low'], 0)} to {percent(row['high'], 0)}", value=row["high"] - row["low"]
            ),
        ]
        for row in verdicts.to_dict("records")
    ]
    return Table(caption="Verdicts by level", columns=columns, rows=rows, folded=True)
