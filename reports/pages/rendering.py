"""From templates to one self-contained page: inline style and script under a strict policy, pictures inline."""

import base64
import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.pages.atomic_files import make_private, write_whole
from reports.plots.style.canvas import untagged
from reports.plots.style.theme import Theme
from reports.wording import words

if TYPE_CHECKING:
    import pandas as pd

    from reports.pages.exploring import Exploring
    from reports.plots.style.figure import Figure


@cache
def environment() -> Environment:
    """The templates of this package, escaping everything that is not marked safe."""
    made = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["words"] = words
    made.filters["tied"] = tied
    return made


def tied(text: str) -> str:
    """Running text in which a number does not part from its unit, nor "p =" from its value, at a line's end."""
    with_units = re.sub(r"(?<=[\d\]]) (?=(?:nats|%))", "\u00a0", text)
    return re.sub(
        r"(?<=\bp) ([=<]) ?", lambda sign: f"\u00a0{sign[1]}" + "\u00a0" * (sign[1] == "="), with_units
    )


def page_parts(
    theme: Theme, classes: Mapping[str, str], *, style: str = "style.css", script: str = "script.js"
) -> dict[str, Markup | str]:
    """`style`, `script` and the `policy` that allows these two alone, from the templates of these names.

    `classes` maps the declarations that inline drawings use to their class names (see `inline`).
    """
    drawn = "".join(f".{name}{{{declarations}}}" for declarations, name in classes.items())
    sheet = environment().get_template(style).render(light=theme.css("light"), dark=theme.css("dark")) + drawn
    code = environment().get_template(script).render()
    return {"style": Markup(sheet), "script": Markup(code), "policy": content_policy(sheet, code)}


def content_policy(style: str, script: str) -> str:
    """A content security policy that allows these two texts inline and nothing else, from anywhere."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def inline(
    figure: "Figure",
    theme: Theme,
    classes: dict[str, str],
    panels: Sequence[int] | None = None,
    *,
    exploring: "Exploring | None" = None,
) -> list[Markup]:
    """The panels as inline SVG in CSS variables; style attributes, which the policy forbids, become classes.

    Adds new declarations to `classes`, which the page's style must then contain. With `panels` only those at these
    places, with ids of their own, for a second drawing on the same page. With `exploring`, which takes the panels in, a
    script finds what their marks say.
    """

    named: dict[str, str] = {}  # a drawing repeats its few styles thousands of times

    def as_class(match: re.Match[str]) -> str:
        if match[1] not in named:
            declarations = re.sub(r"([:;]) ", r"\1", theme.with_variables(match[1])).strip("; ")
            named[match[1]] = f' class="{classes.setdefault(declarations, f"k{len(classes)}")}"'
        return named[match[1]]

    drawings = []
    shown = figure.panels if panels is None else [figure.panels[place] for place in panels]
    for place, panel in enumerate(shown):
        # The first panel speaks for all: a screen reader hears one description of a figure.
        name = (
            Markup('role="img" aria-label="{}"').format(figure.alt)
            if place == 0
            else Markup('aria-hidden="true"')
        )
        size = Markup('viewBox="0 0 {0:g} {1:g}" width="{2}" height="{3}"').format(
            panel.width, panel.height, round(panel.width * 4 / 3), round(panel.height * 4 / 3)
        )
        if exploring is None:
            known, drawn = Markup(""), untagged(panel.svg)
        else:
            number, drawn = exploring.panel(panel)
            known = Markup(' data-marks="{}"').format(number)
            if panel.of:
                known += Markup(' data-of="{}"').format(exploring.place_of(panel.of))
        drawn = drawn if panels is None else re.sub(r'( id="|href="#|url\(#)', r"\1lead-", drawn)
        svg = Markup(re.sub(r' style="([^"]*)"', as_class, drawn))
        drawings.append(Markup("<svg {} {}{}>{}</svg>").format(size, name, known, svg))
    return drawings


FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?", re.ASCII | re.IGNORECASE)
_ROWS_AT_ONCE = 50_000


def write_page(path: Path, content: bytes) -> None:
    """Write a file of a report whole or not at all, in folders that are made if need be."""
    _write(path, [content])


def write_csv(path: Path, frame: "pd.DataFrame") -> None:
    """Write a frame as `csv_parts` gives it, whole or not at all; millions of rows need little memory."""
    _write(path, csv_parts(frame))


def _write(path: Path, parts: Iterable[bytes]) -> None:
    try:
        make_private(path.parent)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from error
    write_whole(path, parts)


def csv_parts(frame: "pd.DataFrame") -> Iterator[bytes]:
    """CSV in UTF-8, some rows at a time, floats with seven significant digits.

    A text cell or name that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    yield frame.iloc[:0].rename(columns=escaped).to_csv(index=False).encode()
    kinds = [frame.dtypes.iloc[place] for place in range(frame.shape[1])]
    as_text = _plain if len(kinds) > 1 and all(map(_is_plain, kinds)) else _cells
    for start in range(0, len(frame), _ROWS_AT_ONCE):
        yield as_text(frame.iloc[start : start + _ROWS_AT_ONCE]).encode()


def _is_plain(kind: object) -> bool:
    return str(kind) in ("int64", "float64", "str")


def _plain(rows: "pd.DataFrame") -> str:
    """Rows of numbers and texts: one format for a whole row is several times as fast as a writer of CSV."""
    columns, formats = [], []
    for name in rows.columns:
        column = rows[name]
        kind, has_gaps = str(column.dtype), bool(column.isna().any())
        if kind == "str":
            columns.append(_quoted(column))
        else:
            columns.append(_formatted(column) if has_gaps else column.tolist())
        formats.append("%s" if has_gaps or kind == "str" else "%.7g" if kind == "float64" else "%d")
    line = ",".join(formats) + "\n"
    return "".join([line % row for row in zip(*columns, strict=True)])


def _quoted(column: "pd.Series[str]") -> list[str]:
    """Texts as they stand in CSV, nothing for a missing one; each distinct text is written once."""
    import pandas as pd

    codes, found = pd.factorize(column)
    written = ["" if not text else _one_cell(str(escaped(text))) for text in found.tolist()]
    return [*map([*written, ""].__getitem__, codes.tolist())]


def _one_cell(text: str) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([text, ""])
    return line.getvalue()[: -len(",\n")]


def _cells(rows: "pd.DataFrame") -> str:
    """Rows of anything."""
    # Imported here, because pandas takes half a second to import, and the list of all studies needs none.
    import pandas as pd

    safe = rows.copy(deep=False)
    for name in safe.columns:
        kind = safe[name].dtype
        if pd.api.types.is_float_dtype(kind):
            safe[name] = pd.Series(_formatted(safe[name]), index=safe.index, dtype=object)
        elif not (pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_datetime64_any_dtype(kind)):
            safe[name] = safe[name].astype(object).map(escaped)
    return safe.to_csv(index=False, header=False)


def _formatted(column: "pd.Series[float]") -> list[str]:
    """Seven significant digits, nothing for NaN; what `to_csv` does with `float_format`, ten times as fast."""
    values = column.to_numpy(dtype=float).tolist()
    return ["" if value != value else "%.7g" % value for value in values]  # noqa: UP031


def escaped(value: object) -> object:
    """A text that starts like a formula with an apostrophe in front; a number such as -1 and anything else as it is."""
    is_formula = isinstance(value, str) and value.startswith(FORMULA_STARTS) and not _NUMBER.fullmatch(value)
    return f"'{value}" if is_formula else value
