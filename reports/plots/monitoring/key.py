"""Which mark is which sample, written above the axes in the samples' own colours."""

from matplotlib.axes import Axes

from reports.plots.style.theme import LevelStyle

_WIDTH = 58  # points for the first name


def draw_key(ax: Axes, *, before: LevelStyle, after: LevelStyle, signs: tuple[str, str]) -> None:
    """Write "before" and "now", each behind the sign of its mark."""
    for place, (sign, style, told) in enumerate(zip(signs, (before, after), ("before", "now"), strict=True)):
        ax.annotate(
            f"{sign} {told}",
            (0, 1),
            xycoords="axes fraction",
            xytext=(_WIDTH * place, 6),
            textcoords="offset points",
            color=style.text.light,
            annotation_clip=False,
        )
