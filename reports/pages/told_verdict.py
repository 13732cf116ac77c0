"""A report's verdict as report.json tells it, for those who repeat it: the index and the terminal."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, kw_only=True)
class ToldVerdict:
    """The verdict in one sentence ("" where there is none), the facts that carry it, its status, and its picture.

    `status` is None in a report made before verdicts were, `picture` the slug of a figure, if the verdict names one.
    """

    sentence: str
    facts: tuple[str, ...] = ()
    status: str | None = None
    picture: str | None = None

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> Self:
        """Return the verdict of a report.json; that of an earlier version is the sentences of its answer.

        What has no text in the place of a text is left out: a file may have been changed by hand.
        """
        verdict = report.get("verdict")
        if isinstance(verdict, Mapping) and isinstance(verdict.get("sentence"), str):
            status = verdict.get("status")
            return cls(
                sentence=verdict["sentence"],
                facts=_texts(verdict.get("facts")),
                status=status if isinstance(status, str) else None,
                picture=_slug(verdict.get("picture")),
            )
        answer = report.get("answer")
        said = _texts(
            [each.get("sentence") for each in answer if isinstance(each, Mapping)]
            if isinstance(answer, list)
            else None
        )
        if said:
            return cls(sentence=said[0], facts=said[1:])
        found = report.get("found")
        return cls(sentence=found if isinstance(found, str) else "")

    @property
    def in_short(self) -> str:
        """The sentence; of an earlier version, which has none that says it all, every sentence of the answer."""
        return self.sentence if self.status is not None else " ".join([self.sentence, *self.facts])


def _texts(values: object) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()


def _slug(picture: object) -> str | None:
    """Return the slug of a figure; None for what could name a file elsewhere."""
    slug = picture.get("slug") if isinstance(picture, Mapping) else None
    return slug if isinstance(slug, str) and _SLUG.fullmatch(slug) else None
