"""Which hyperparameters set the lowest search trials apart: descriptive, with the share of trials ignored."""

from reports.plots import bars
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.sections.parts.section import Material
from reports.wording.words import factor_name, percent, plural


def importance_figure(material: Material) -> Figure | None:
    """Bars of the importance that came with the inputs; None without any."""
    frame = material.inputs.importance
    if frame is None or frame.empty:
        return None
    ordered = frame.sort_values(["importance", "parameter"], ascending=[False, True])
    shown = bars.tidy(
        [factor_name(str(name)) for name in ordered["parameter"]],
        list(ordered["importance"]),
        [False] * len(ordered),
    )
    panel = draw_panel(
        lambda ax: bars.draw(shown, ax, why_empty="No importance was computed."),
        Sheet(width=246, height=8 + bars.ROW * max(len(shown), 2), left=2, right=2, top=4, bottom=4),
        prefix="importance",
    )
    used, ignored = int(frame["num_trials"].iloc[0]), int(frame["num_ignored"].iloc[0])
    listed = ", ".join(
        f"{name} {percent(share, 0)}" for name, share in zip(shown["name"], shown["share"], strict=True)
    )
    return Figure(
        slug="importance",
        title="What sets the lowest search trials apart",
        caption=(
            "PED-ANOVA importance, shares that sum to 1. Descriptive only: it reads the "
            f"{plural(used, 'trial')} that were not stopped and ignores {plural(ignored, 'other')}."
        ),
        num=f"n = {plural(used, 'search trial')}",
        alt=f"Importance of each hyperparameter: {listed}",
        panels=(panel,),
        data=shown,
        columns=1,
    )
