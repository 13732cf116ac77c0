"""Repeated measurements of one thing: their median and their range."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Median, lowest and highest of `count` measurements.

    >>> str(Spread.of([2.0, 3.0, 10.0]))
    '3.00 (2.00 to 10.0)'
    """

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Return the spread of at least one value."""
        known = list(values)
        return cls(median=statistics.median(known), low=min(known), high=max(known), count=len(known))

    @classmethod
    def of_ratios(cls, over: Iterable[float], under: Iterable[float]) -> Self:
        """Return the spread of the ratios of pairs that were measured side by side."""
        return cls.of(a / b for a, b in zip(over, under, strict=True))

    def __str__(self) -> str:
        """Return the median with the range, each in three digits; a single measurement alone."""
        if self.count == 1:
            return digits(self.median)
        return f"{digits(self.median)} ({digits(self.low)} to {digits(self.high)})"


def digits(value: float) -> str:
    """Return a number in three digits, and no fewer than stand before its point.

    >>> [digits(value) for value in (0.01234, 1.5, 12.345, 48720.4)]
    ['0.0123', '1.50', '12.3', '48,720']
    """
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 1 else f"{value:.3g}"
