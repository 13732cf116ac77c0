"""Terms explained where they stand: a button in the text, its explanation beside it, and an entry in the glossary."""

import re
from collections.abc import Mapping

from markupsafe import Markup, escape

from reports.pages.rendering import tied
from reports.wording.glossary import Term, terms

_WITH_SIGNS = re.compile(r"([(\[“]*)(<button [^>]*>[^<]*</button>)([)\].,;:”]*)")


def _kept(match: re.Match[str]) -> str:
    """A button with the signs at it in one piece; alone as it is."""
    return f'<span class="kept">{match[0]}</span>' if match[1] or match[3] else match[0]


class Explained:
    """What one page has explained: it marks terms in texts, and knows which ones the page has used.

    The explanation of a marked term is a popover of its own, opened by the button without a script; the glossary
    repeats it. A text is escaped before anything in it is marked.
    """

    def __init__(self, thresholds: Mapping[str, float] | None = None) -> None:
        """Explain verdicts with these thresholds, or without their rules."""
        self._terms = terms(thresholds or {})
        self._by_word = {term.word: term for term in self._terms if term.is_code}
        self._found = re.compile("|".join(f"(?P<t{n}>{term.pattern})" for n, term in enumerate(self._terms)))
        self._seen: set[str] = set()
        self._used: set[str] = set()

    def begin(self) -> str:
        """Start a section, in which every term is explained once more; returns nothing to print."""
        self._seen.clear()
        return ""

    def mark(self, text: str) -> Markup:
        """A running text whose numbers and units keep together, with codes and terms that first appear here marked."""
        marked = self._found.sub(self._marked, str(escape(tied(str(text)))))
        # At a line's end a button would part from the bracket before it and the comma behind it.
        return Markup(_WITH_SIGNS.sub(_kept, marked))

    def code(self, text: str) -> Markup:
        """A text that may be a code, as in a table's cell; any other text as it is."""
        term = self._by_word.get(text)
        return escape(text) if term is None else self._button(term, text)

    @property
    def used(self) -> list[Term]:
        """The terms that this page explains, codes first."""
        return [term for term in self._terms if term.slug in self._used]

    def _marked(self, match: re.Match[str]) -> str:
        term = self._terms[int(str(match.lastgroup)[1:])]
        if not term.is_code and term.slug in self._seen:
            return match[0]
        return str(self._button(term, Markup(match[0])))

    def _button(self, term: Term, text: str) -> Markup:
        self._seen.add(term.slug)
        self._used.add(term.slug)
        kind = "term code" if term.is_code else "term"
        return Markup(
            '<button type="button" class="{0}" popovertarget="tip-{1}" aria-describedby="tip-{1}" '
            'title="{2}">{3}</button>'
        ).format(kind, term.slug, term.meaning, text)
