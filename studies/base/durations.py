"""Times as people write and read them: 90s, 30m, 2h, 1h30m."""

import re

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


def told(seconds: float) -> str:
    """Return a time as people say it.

    >>> told(5400), told(42.3), told(7200)
    ('1h30m', '43s', '2h')
    """
    if seconds < 60:
        return f"{int(seconds + 0.999)}s"
    hours, minutes = divmod(int(seconds / 60 + 0.999), 60)
    return f"{hours}h{minutes}m" if hours and minutes else f"{hours}h" if hours else f"{minutes}m"
