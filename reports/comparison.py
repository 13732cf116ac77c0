"""Contrasts of levels, from frames from anywhere."""

from reports.statistics.contrasts import contrasts

__all__ = ["contrasts"]
