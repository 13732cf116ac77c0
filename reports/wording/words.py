"""How factors, levels, numbers and durations are written for a reader: one spelling in text, tables and pictures."""

import math
from typing import Any

MINUS = "\N{MINUS SIGN}"
MISSING = "\N{EN DASH}"
THIN = "\N{NARROW NO-BREAK SPACE}"

_LEVELS = {
    "sgd": "SGD",
    "adam": "Adam",
    "rmsprop": "RMSprop",
    "adamw": "AdamW",
    "relu": "ReLU",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "he_normal": "He",
    "xavier_normal": "Xavier",
    "none": "none",
}
_FACTORS = {
    "batch_norm": "batch norm",
    "init": "initialisation",
    "init_gain": "gain",
    "learning_rate": "learning rate",
    "alpha": "RMSprop's alpha",
    "eps": "epsilon",
    "decoupled_weight_decay": "AdamW's weight decay",
    "min_lr": "lowest learning rate",
    "patience": "early-stopping patience",
    "train_size": "training share",
}
_SELF_EXPLAINING = {"optimizer", "activation", "schedule", "augmentation"}
_OUTCOMES = {
    "test_loss": ("test log-loss", "nats"),
    "test_error": ("test error", ""),
    "val_loss": ("validation log-loss", "nats"),
    "total_growth": ("ln total growth", ""),
}


def factor_name(factor: str) -> str:
    """A hyperparameter as a person writes it: `batch_norm` is "batch norm"."""
    return _FACTORS.get(factor, factor.replace("_", " "))


def level_name(value: Any) -> str:
    """A level alone: True is "on", "sgd" is "SGD", 0.1 is "0.1", [128, 64] is "128-64", betas "0.9 and 0.999"."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        joined = " and " if any(isinstance(part, float) for part in value) else "-"
        return joined.join(level_name(part) for part in value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "none"
    if isinstance(value, float):
        return f"{value:g}".replace("-", MINUS)
    return _LEVELS.get(str(value), str(value))


def level_phrase(factor: str, value: Any) -> str:
    """A level with its factor: "depth 5", "batch norm on", "no residual", but "Adam" alone."""
    if factor in _SELF_EXPLAINING and isinstance(value, str) and value != "none":
        return level_name(value)
    if factor in ("residual", "schedule", "augmentation") and isinstance(value, str):
        return f"{'no' if value == 'none' else level_name(value)} {factor_name(factor)}"
    return f"{factor_name(factor)} {level_name(value)}"


def difference_name(factor: str, level_a: Any, level_b: Any) -> str:
    """Which level is subtracted from which: "depth: 5 − 3", "Adam − SGD"."""
    pair = f"{level_name(level_b)} {MINUS} {level_name(level_a)}"
    explained = factor in _SELF_EXPLAINING and isinstance(level_b, str)
    return pair if explained else f"{factor_name(factor)}: {pair}"


def outcome_name(outcome: str) -> str:
    """An outcome as a person writes it: `test_loss` is "test log-loss"."""
    return _OUTCOMES.get(outcome, (outcome.replace("_", " "), ""))[0]


def outcome_unit(outcome: str) -> str:
    """The unit of an outcome, empty for a plain fraction."""
    return _OUTCOMES.get(outcome, ("", ""))[1]


def number(value: float | None, decimals: int = 3) -> str:
    """A number with a fixed count of decimals and a true minus sign; a missing one is a dash."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def decimals_for(half_width: float | None) -> int:
    """Decimals that an interval of this half-width supports: its first digit, a second one after 1 or 2; 1 to 5."""
    if half_width is None or not math.isfinite(half_width) or half_width <= 0:
        return 3
    power = math.floor(math.log10(half_width))
    leading = half_width / 10.0**power
    return min(5, max(1, (1 if leading < 2.95 else 0) - power))


def decimals_between(low: float, high: float) -> int:
    """Decimals that an interval supports: more, up to 5, where an end would else print as 0 that the interval excludes.

    >>> decimals_between(0.0025, 0.073), decimals_between(-0.0025, 0.073), decimals_between(0.3, 0.4)
    (3, 2, 2)
    """
    decimals = decimals_for((high - low) / 2)
    if low > 0 or high < 0:
        nearest = min(abs(low), abs(high))
        while decimals < 5 and round(nearest, decimals) == 0:
            decimals += 1
    return decimals


def signed(value: float | None, decimals: int = 3) -> str:
    """A difference: always with its sign."""
    text = number(value, decimals)
    return text if text == MISSING or text.startswith(MINUS) or not text.strip("0.") else "+" + text


def interval(estimate: float | None, low: float | None, high: float | None) -> str:
    """A difference with its interval, rounded to what the interval supports: "+0.27 [0.25, 0.29]"."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return f"{signed(estimate)} [{MISSING}]"
    decimals = decimals_between(low, high)
    return f"{signed(estimate, decimals)} [{number(low, decimals)}, {number(high, decimals)}]"


def interval_ends(low: float, high: float) -> str:
    """Both ends, rounded to what the interval supports; those below 0.001 with two significant digits.

    >>> interval_ends(0.4012, 0.4309), interval_ends(2.3e-4, 7.9e-4)
    ('0.401 to 0.431', '0.00023 to 0.00079')
    """
    if max(abs(low), abs(high)) < 0.001:
        return f"{small(low)} to {small(high)}"
    decimals = decimals_between(low, high)
    return f"{number(low, decimals)} to {number(high, decimals)}"


def p_value(p: float | None) -> str:
    """A p value: two digits, and never smaller than "< 0.001"."""
    if p is None or not math.isfinite(p):
        return MISSING
    if p < 0.001:
        return "<" + THIN + "0.001"
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def percent(share: float | None, decimals: int = 1) -> str:
    """A fraction as a percentage: 0.975 is "97.5 %"."""
    text = number(None if share is None else 100 * share, decimals)
    return text if text == MISSING else f"{text}{THIN}%"


def covered(confidence: float) -> str:
    """What share of intervals cover the truth, in full: "95 %", "98.75 %"."""
    return f"{100 * confidence:.6g}{THIN}%"


def count(value: float | None) -> str:
    """A count with thin spaces between thousands: 3780 is "3 780"."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{int(value):,}".replace(",", THIN)


def duration(seconds: float | None) -> str:
    """A time span in the unit that suits it: "48 s", "5 min 20 s", "2 h 5 min", from three days on "3 days 4 h"."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    if seconds < 10:
        return f"{round(seconds, 1):g}{THIN}s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours >= 72:
        parts = [(hours // 24, "days"), (hours % 24, "h")]
    else:
        parts = [(hours, "h"), (minutes, "min"), (rest if hours == 0 else 0, "s")]
    return " ".join(f"{amount}{THIN}{unit}" for amount, unit in parts if amount) or f"0{THIN}s"


def small(value: float | None, digits: int = 2) -> str:
    """A rate over several orders of magnitude with significant digits: 0.0034, 1.2e-05."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:.{digits}g}".replace("-", MINUS)


def significant(value: float | None, digits: int) -> str:
    """A value of a column with as many significant digits as the others have: 7.1 of three digits is 7.10.

    >>> significant(7.1, 3), significant(123.4, 3), significant(1234.0, 3)
    ('7.10', '123', '1.23e+03')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:#.{digits}g}".removesuffix(".").replace("-", MINUS)


def plural(amount: int, noun: str, many: str | None = None) -> str:
    """A count with its noun: "1 block", "10 blocks"."""
    return f"{count(amount)} {noun if amount == 1 else many or noun + 's'}"
