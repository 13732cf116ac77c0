"""How one column of a table becomes features, as data: rows that are read later get the features of training rows."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

TRUE_FALSE: Final = "true_false"
"""The reading of a column whose texts are true and false."""


@dataclass(frozen=True, kw_only=True)
class ColumnEncoding:
    """One column: `kind` is "number", "category" or "text".

    A number is one feature, less `offset`; its texts are read as `reading` says (`number_formats.POINT` or `COMMA`,
    TRUE_FALSE, or None where the column was typed). A category has a feature for each of `names`, a text for each of
    its words in `names`. With `has_missing` one more feature says that a cell is missing, and a missing number is NaN;
    else no cell may be missing. With `is_missing_text` texts such as NA count as missing.
    """

    name: str
    kind: str
    has_missing: bool = False
    names: tuple[str, ...] = ()
    offset: float = 0.0
    reading: str | None = None
    is_missing_text: bool = True

    @property
    def num_features(self) -> int:
        """How many features the column has."""
        return (1 if self.kind == "number" else len(self.names)) + self.has_missing

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each feature, such as "size", "colour=red" or "colour is missing"."""
        sign = "=" if self.kind == "category" else " has "
        own = (
            (self.name,)
            if self.kind == "number"
            else tuple(f"{self.name}{sign}{each}" for each in self.names)
        )
        return (*own, *([f"{self.name} is missing"] if self.has_missing else []))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data that `from_dict` takes."""
        return {**asdict(self), "names": list(self.names)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the encoding that `to_dict` wrote; TypeError for other names."""
        return cls(**{**values, "names": tuple(values["names"])})
