"""The gradient of the signal relative to the last hidden layer: what gradient flow and heat maps are drawn from."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def relative_signal(gradients: pd.DataFrame, replicates: pd.DataFrame, keep: Sequence[str]) -> pd.DataFrame:
    """The confirm phase's gradients with `log_ratio` = ln(delta_rms[l] / delta_rms[H]), NaN where not finite.

    H is the network's last hidden layer, so that `log_ratio` there is 0. Columns: trial_number, replicate, block,
    epoch, layer, num_layers, log_ratio and those of `keep` (columns of `replicates`).
    """
    columns = ["trial_number", "replicate", "block", "epoch", "layer", "num_layers", "log_ratio"]
    if gradients.empty or replicates.empty:
        return pd.DataFrame(columns=[*columns, *keep])
    confirm = replicates.loc[replicates["phase"] == "confirm", ["trial_number", "replicate", "block", *keep]]
    signal = gradients[["trial_number", "replicate", "epoch", "layer", "delta_rms"]]
    signal = signal.merge(confirm, on=["trial_number", "replicate"])
    signal["num_layers"] = signal.groupby("trial_number")["layer"].transform("max")
    at_last = signal.loc[
        signal["layer"] == signal["num_layers"], ["trial_number", "replicate", "epoch", "delta_rms"]
    ]
    signal = signal.merge(
        at_last.rename(columns={"delta_rms": "last"}), on=["trial_number", "replicate", "epoch"], how="left"
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = signal["delta_rms"].to_numpy(dtype=float) / signal["last"].to_numpy(dtype=float)
        signal["log_ratio"] = np.log(np.where(np.isfinite(ratio) & (ratio > 0), ratio, np.nan))
    return signal[[*columns, *keep]]
