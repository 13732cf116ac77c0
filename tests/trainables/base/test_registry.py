"""What a module defines is known from its source, without an import."""

import sys

import pytest

from trainables import models
from trainables.base.registry import defines


def test_a_function_is_found_by_its_source() -> None:
    package = sys.modules[models.__name__]
    assert defines(package, "cnn", "model", "build_module")
    assert not defines(package, "mlp", "model", "build_module")


def test_a_wrong_name_is_told() -> None:
    with pytest.raises(ValueError, match="unknown model 'mpl'; did you mean 'mlp'"):
        defines(sys.modules[models.__name__], "mpl", "model", "build")
