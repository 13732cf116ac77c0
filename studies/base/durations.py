"""Times as people write and read them: what --budget takes, and the one form in which durations are printed."""

import re

from reports.wording import words
from studies.base.errors import UsageError

_SECONDS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_TIME = re.compile("".join(rf"(?:(?P<{unit}>\d+(?:\.\d+)?){unit})?" for unit in _SECONDS))


def parse_budget(text: str) -> float:
    """Return the seconds of a time such as 90s, 30m, 2h or 1h30m; anything else is a UsageError.

    >>> parse_budget("1h30m"), parse_budget("0.5h")
    (5400.0, 1800.0)
    """
    found = _TIME.fullmatch(text.strip())
    seconds = 0.0
    if found is not None:
        seconds = sum(float(found[unit] or 0) * length for unit, length in _SECONDS.items())
    if not seconds:
        raise UsageError(
            [f"--budget must be a time such as 90s, 30m, 2h or 1h30m; got {text!r}"],
            "Give it in days, hours, minutes or seconds.",
        )
    return seconds


def format_budget(seconds: float) -> str:
    """Return a time as --budget takes it, rounded up to whole seconds or minutes.

    >>> format_budget(5400), format_budget(42.3), format_budget(7200)
    ('1h30m', '43s', '2h')
    """
    if seconds < 60:
        return f"{int(seconds + 0.999)}s"
    hours, minutes = divmod(int(seconds / 60 + 0.999), 60)
    return f"{hours}h{minutes}m" if hours and minutes else f"{hours}h" if hours else f"{minutes}m"


def format_duration(seconds: float) -> str:
    """Return a duration in the unit that suits it, as a report writes it, with plain spaces for a terminal.

    >>> format_duration(4.6), format_duration(320), format_duration(5400), format_duration(300_000)
    ('4.6 s', '5 min 20 s', '1 h 30 min', '3 days 11 h')
    """
    return words.duration(seconds).replace(words.THIN, " ")
