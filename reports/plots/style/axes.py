"""What every picture shares: readable ticks, quiet axes, direct labels that do not overlap, a reason when empty."""

import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from reports.plots.style.marks import Of, tag
from reports.plots.style.theme import MUTED
from reports.wording.words import MINUS

Which = Literal["x", "y"]
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def say_empty(ax: Axes, why: str) -> None:
    """Draw no axes, only the reason why there is nothing to show."""
    ax.set_axis_off()
    text = "\n".join(textwrap.wrap(why, 40))
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=MUTED.light)


def quiet(ax: Axes, *, grid: Which | None = "y") -> None:
    """No tick marks; grid lines along one axis only."""
    ax.tick_params(length=0, pad=4)
    if grid is not None:
        ax.grid(axis=grid)
        ax.spines["left" if grid == "y" else "bottom"].set_visible(False)


def log_axis(ax: Axes, which: Which, low: float, high: float, *, most: int = 6) -> None:
    """A log axis from low to high with at most so many ticks, at round multiples of powers of ten."""
    ticks = log_ticks(low, high, most)
    _scale(ax, which, "log", (low, high), ticks, [tick_text(tick) for tick in ticks])


def linear_axis(
    ax: Axes,
    which: Which,
    low: float,
    high: float,
    *,
    most: int = 6,
    least: float = -math.inf,
    whole: bool = False,
) -> None:
    """A linear axis from low to high with round ticks, none below `least`, all with the same number of decimals.

    Of what comes in whole numbers (`whole`: layers, epochs, trials) only whole ones are ticks.
    """
    ticks = [tick for tick in linear_ticks(low, high, most, whole=whole) if tick >= least]
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    decimals = len(f"{step:.10f}".rstrip("0").partition(".")[2])
    labels = [f"{tick:.{decimals}f}".replace("-", MINUS) for tick in ticks]
    _scale(ax, which, "linear", (low, high), ticks, labels)


def value_axis(ax: Axes, which: Which, values: Sequence[float | None], *, log: bool = True) -> None:
    """An axis that holds these values, on a log scale where that is wanted and none is below 0."""
    log = log and allows_log(values)
    limits = limits_of(values, log=log)
    if log:
        log_axis(ax, which, *limits)
    else:
        linear_axis(ax, which, *limits)


def allows_log(values: Iterable[float | None]) -> bool:
    """Whether values can be told on a log scale: none is below 0."""
    return not any(value is not None and value < 0 for value in values)


def scale_note(log: bool) -> str:
    """How a caption names the scale."""
    return "log scale" if log else "linear scale"


def named_axis(ax: Axes, which: Which, names: Sequence[str], *, pad: float = 0.5) -> None:
    """An axis of names at 0, 1, 2 ..."""
    limits = (-pad, max(len(names) - 1, 0) + pad)
    _scale(ax, which, "linear", limits, list(range(len(names))), list(names))


def _scale(
    ax: Axes,
    which: Which,
    scale: str,
    limits: tuple[float, float],
    ticks: Sequence[float],
    labels: Sequence[str],
) -> None:
    axis = ax.xaxis if which == "x" else ax.yaxis
    if scale == "log":
        (ax.set_xscale if which == "x" else ax.set_yscale)("log")
    (ax.set_xlim if which == "x" else ax.set_ylim)(*limits)
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_ticklabels(labels)


def log_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Ticks within low..high: powers of ten, joined by 2s and 5s, or by every digit, while there is room."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    chosen: list[float] = []
    for digits in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
        ticks = [digit * 10.0**power for power in range(first, last + 1) for digit in digits]
        ticks = [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]
        if len(ticks) <= most:
            chosen = ticks
    while not chosen or len(chosen) > most:
        powers = [power for power in range(first, last + 1) if low <= 10.0**power <= high]
        stride = math.ceil(len(powers) / most) or 1
        # Multiples of the stride, so that 1 has a tick where it lies within.
        chosen = [10.0**power for power in powers if power % stride == 0]
        chosen = chosen or [low]
    # Within less than a power of ten, one tick says too little and round numbers serve.
    return chosen if len(chosen) > 1 or high / low > 10 else linear_ticks(low, high, most)


def linear_ticks(low: float, high: float, most: int = 6, *, whole: bool = False) -> list[float]:
    """At most so many round ticks within low..high, only whole numbers where that is wanted."""
    span = high - low
    power = 10.0 ** math.floor(math.log10(span / most))
    steps = [power * digit for digit in (1, 2, 2.5, 5, 10, 20)]
    steps = [step for step in steps if step.is_integer()] or [1.0] if whole else steps
    step = next(step for step in steps if span / step <= most - 0.5 or step == steps[-1])
    first = math.ceil(low / step - 1e-9)
    return [index * step for index in range(first, math.floor(high / step + 1e-9) + 1)]


def tick_text(value: float) -> str:
    """0.001 as it is, smaller or larger powers of ten as 10⁻⁵."""
    if 1e-4 <= value < 1e5:
        return f"{value:g}"
    if value <= 0:
        return f"{value:g}".replace("-", MINUS)
    power = math.floor(math.log10(value) + 1e-9)
    digit = value / 10.0**power
    prefix = "" if abs(digit - 1) < 1e-6 else f"{digit:g}·"
    return prefix + "10" + str(power).translate(_SUPERSCRIPTS)


def label_right(
    ax: Axes, labels: Sequence[tuple[float, str, str]], *, gap: float = 12, of: Sequence[Of] = ()
) -> None:
    """Names right of the axes at data heights (y, text, colour), moved apart to at least `gap` points.

    `of` is whose each is.
    """
    finite = [math.isfinite(label[0]) for label in labels]
    owners = [each for each, kept in zip(of or [()] * len(labels), finite, strict=True) if kept]
    labels = [label for label, kept in zip(labels, finite, strict=True) if kept]
    height = ax.get_window_extent().height * 72 / ax.figure.get_dpi()
    wanted = [
        float(ax.transAxes.inverted().transform(ax.transData.transform((1, y)))[1]) for y, _, _ in labels
    ]
    for place, (_, text, colour), owner in zip(spread(wanted, gap / height), labels, owners, strict=True):
        written = ax.annotate(
            text,
            (1, place),
            xycoords="axes fraction",
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            annotation_clip=False,
        )
        tag(written, owner, ax)


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Positions in 0..1 as near as possible to the wanted ones, in the same order, at least `gap` apart."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    places = [min(1.0, max(0.0, wanted[index])) for index in order]
    for _ in range(50):
        for lower in range(len(places) - 1):
            overlap = gap - (places[lower + 1] - places[lower])
            if overlap > 1e-6:
                places[lower] -= overlap / 2
                places[lower + 1] += overlap / 2
    if gap * (len(places) - 1) <= 1:  # else there is no room for all of them within
        places = _within(places, gap)
    result = [0.0] * len(wanted)
    for index, place in zip(order, places, strict=True):
        result[index] = place
    return result


def _within(places: Sequence[float], gap: float) -> list[float]:
    """Ascending positions moved into 0..1, the distances between them kept or widened to `gap`."""
    inside: list[float] = []
    for place in places:
        inside.append(max(place, inside[-1] + gap if inside else 0.0))
    for index in reversed(range(len(inside))):
        inside[index] = min(inside[index], inside[index + 1] - gap if index + 1 < len(inside) else 1.0)
    return inside


def limits_of(values: Iterable[float | None], *, pad: float = 0.05, log: bool = False) -> tuple[float, float]:
    """Lowest and highest finite value with some room; a single value gets room on both sides."""
    known = [value for value in values if value is not None]
    finite = [value for value in known if math.isfinite(value) and (value > 0 or not log)]
    if not finite:
        return (0.1, 1.0) if log else (0.0, 1.0)
    low, high = min(finite), max(finite)
    if log:
        low, high = math.log(low), math.log(high)
    # What differs by rounding only is one value.
    varies = high - low > 1e-9 * max(abs(low), abs(high), 1e-12)
    room = (high - low) * pad if varies else (0.35 if log else max(abs(low) * 0.1, 0.5))
    low, high = low - room, high + room
    return (math.exp(low), math.exp(high)) if log else (low, high)
