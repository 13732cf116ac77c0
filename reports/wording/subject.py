"""What a study trains, and on what, in words."""

from collections.abc import Mapping
from typing import Any

OWN = "own"
"""The name of a user's own data, and of the models of a user's own."""


def data_named(plan: Mapping[str, Any]) -> str:
    """Name the data of a plan.

    >>> data_named({"dataset": "digits"}), data_named({"dataset": "own"})
    ('digits', 'your own data')
    """
    return "your own data" if plan["dataset"] == OWN else str(plan["dataset"])


def networks_named(plan: Mapping[str, Any]) -> str:
    """Name the networks of a plan.

    >>> networks_named({"model": "mlp"}), networks_named({"model": "own"})
    ('fully connected networks', 'models of your own')
    """
    names = {"mlp": "fully connected networks", "cnn": "convolutional networks", OWN: "models of your own"}
    return names.get(plan["model"], f"{plan['model']} networks")
