"""The result of one check, and how its faults name trials and epochs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Check:
    """One invariant of a study: its name and rule, what was checked, and a line for each fault."""

    name: str
    rule: str
    looked_at: str
    faults: Sequence[str] = ()

    @property
    def holds(self) -> bool:
        """Whether no fault was found."""
        return not self.faults


def named(numbers: Iterable[int], noun: str = "trial") -> str:
    """Return a list of numbers with its noun, cut to five.

    >>> named([3, 1]), named([7]), named(range(1, 10), "epoch")
    ('trials 1, 3', 'trial 7', 'epochs 1, 2, 3, 4, 5 and 4 more')
    """
    listed = sorted({int(number) for number in numbers})
    more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    return f"{noun if len(listed) == 1 else noun + 's'} {', '.join(map(str, listed[:_NAMED]))}{more}"
