"""Gradient stability: growth from layer to layer, verdicts, and how far these depend on thresholds."""

from reports.stability.growth import growth

__all__ = ["growth"]
