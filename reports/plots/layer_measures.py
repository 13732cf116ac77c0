"""One measure of every hidden layer over the epochs of one trial: median over its networks with a 5-95 % band."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from reports.plots.style.chart import Band, Chart, Line, Told
from reports.plots.style.marks import fine, told, told_intervals, whole
from reports.plots.style.marks import levels as of_levels
from reports.plots.style.theme import Theme

COLUMNS = ["layer", "epoch", "median", "low", "high", "num"]
MOST_NAMES = 8
QUANTILES = (0.05, 0.5, 0.95)


def tidy(gradients: pd.DataFrame, measure: str, *, log: bool) -> pd.DataFrame:
    """Rows to draw: layer, epoch, median, low, high (5-95 % over networks), num (those with a usable value).

    `gradients` are the rows of one trial. Values that are missing or not finite, on a log scale also those not above
    0, are left out.
    """
    if gradients.empty or measure not in gradients:
        return pd.DataFrame(columns=COLUMNS)
    values = pd.to_numeric(gradients[measure]).to_numpy(dtype=float, na_value=np.nan)
    usable = np.isfinite(values) & ((values > 0) | (not log))
    if not usable.any():
        return pd.DataFrame(columns=COLUMNS)
    layers, epochs = (gradients[name].to_numpy(dtype=np.int64)[usable] for name in ("layer", "epoch"))
    order = np.lexsort((epochs, layers))
    layers, epochs, values = layers[order], epochs[order], values[usable][order]
    starts = np.flatnonzero(np.diff(layers, prepend=-1) | np.diff(epochs, prepend=-1))
    sizes = np.diff(starts, append=len(values))
    bands = np.empty((3, len(starts)))
    # All groups of one size at once: of most trials every layer and epoch has as many networks.
    for size in np.unique(sizes):
        same = sizes == size
        bands[:, same] = np.quantile(values[starts[same][:, None] + np.arange(size)], QUANTILES, axis=1)
    low, median, high = bands
    found = (layers[starts], epochs[starts], median, low, high, sizes)
    return pd.DataFrame(dict(zip(COLUMNS, found, strict=True)))


def chart(
    frame: pd.DataFrame,
    *,
    theme: Theme,
    layers: Sequence[int],
    limits: tuple[float, float],
    num_epochs: int,
    log: bool,
    guide: float | None = None,
    what: str = "",
) -> Chart:
    """What `tidy` gives, one line a layer in the theme's colours for the factor "layer"; `guide` lies across.

    `what` is how the measure is called.
    """
    if frame.empty:
        why = "Not recorded, or at no epoch finite."
        return Chart(limits=limits, num_epochs=num_epochs, log=log, empty=why)
    lines, bands, labels, owners, said = [], [], [], [], []
    named = _named(layers)
    of_layers = frame["layer"].to_numpy(dtype=np.int64)
    columns = {name: frame[name].to_numpy(dtype=float) for name in ("epoch", "low", "median", "high")}
    for layer in layers:
        mine, style = of_layers == layer, theme.style("layer", layer)
        if not mine.any():
            continue
        x, low, median, high = (column[mine] for column in columns.values())
        colour = style.mark.light
        of = of_levels("layer", layer)
        bands.append(Band(x=x, low=low, high=high, colour=colour, of=of))
        every = max(1, len(x) // 4)
        lines.append(Line(x=x, y=median, colour=colour, width=1.4, marker=style.marker, every=every, of=of))
        said.append(
            Told(
                x=x,
                y=median,
                parts=(
                    f"layer {layer}, epoch ",
                    whole(x),
                    f": {what} ".replace("  ", " "),
                    told(median, fine),
                    told_intervals(low, high, "5–95 % of networks"),
                ),
                of=of,
            )
        )
        if layer in named:
            labels.append((float(median[-1]), style.name, style.text.light))
            owners.append(of)
    return Chart(
        limits=limits,
        num_epochs=num_epochs,
        log=log,
        lines=lines,
        bands=bands,
        labels=labels,
        owners=owners,
        guide=guide,
        told=said,
    )


def _named(layers: Sequence[int]) -> set[int]:
    """The layers that are named: all, or the first, the last and some between."""
    places = np.linspace(0, len(layers) - 1, min(len(layers), MOST_NAMES)).round().astype(int)
    return {layers[place] for place in places}
