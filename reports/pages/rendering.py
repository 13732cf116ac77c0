"""From templates to one self-contained page: inline style and script under a strict policy, pictures inline."""

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.plots.style.figure import Figure
from reports.plots.style.theme import Theme
from reports.wording import words


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


def page_parts(theme: Theme, classes: Mapping[str, str]) -> dict[str, Markup | str]:
    """`style`, `script` and the `policy` that allows these two alone.

    `classes` maps the declarations that inline drawings use to their class names (see `inline`).
    """
    drawn = "".join(f".{name}{{{declarations}}}" for declarations, name in classes.items())
    sheet = environment().get_template("style.css").render(light=theme.css("light"), dark=theme.css("dark"))
    style, script = sheet + drawn, environment().get_template("script.js").render()
    return {"style": Markup(style), "script": Markup(script), "policy": content_policy(style, script)}


def content_policy(style: str, script: str) -> str:
    """A content security policy that allows these two texts inline and nothing else, from anywhere."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def inline(figure: Figure, theme: Theme, classes: dict[str, str]) -> list[Markup]:
    """The panels as inline SVG in CSS variables; style attributes, which the policy forbids, become classes.

    Adds new declarations to `classes`, which the page's style must then contain.
    """

    def as_class(match: re.Match[str]) -> str:
        declarations = re.sub(r"([:;]) ", r"\1", theme.with_variables(match[1])).strip("; ")
        return f' class="{classes.setdefault(declarations, f"k{len(classes)}")}"'

    drawings = []
    for place, panel in enumerate(figure.panels):
        # The first panel speaks for all: a screen reader hears one description of a figure.
        name = (
            Markup('role="img" aria-label="{}"').format(figure.alt)
            if place == 0
            else Markup('aria-hidden="true"')
        )
        size = Markup('viewBox="0 0 {0:g} {1:g}" width="{2}" height="{3}"').format(
            panel.width, panel.height, round(panel.width * 4 / 3), round(panel.height * 4 / 3)
        )
        svg = Markup(re.sub(r' style="([^"]*)"', as_class, panel.svg))
        drawings.append(Markup("<svg {} {}>{}</svg>").format(size, name, svg))
    return drawings
