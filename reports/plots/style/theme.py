"""One look for the whole report: inks for light and dark, and one colour and one marker for every level.

Pictures are drawn once, in the colours for a light ground, no two inks alike. The page replaces each by its CSS
variable, so that one drawing serves light and dark; the standalone files keep them.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reports.plots.style.colours import from_oklch, readable
from reports.wording.words import level_name

LIGHT_GROUND, DARK_GROUND = "#fdfdfb", "#15171b"
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
RAMP_HUES = ((205, 275), (350, 320), (115, 150))
NUM_GROWTH_COLOURS = 9


@dataclass(frozen=True, kw_only=True)
class Ink:
    """A colour with a role: its CSS variable, the value it is drawn in (for light ground), the one for dark ground."""

    variable: str
    light: str
    dark: str


INK = Ink(variable="--ink", light="#1d2025", dark="#e9eaec")
MUTED = Ink(variable="--muted", light="#5c636e", dark="#a3aab5")
RULE = Ink(variable="--rule", light="#dcdfe4", dark="#343942")
FAINT = Ink(variable="--faint", light="#a9b0ba", dark="#5f6773")
GROUND = Ink(variable="--ground", light=LIGHT_GROUND, dark=DARK_GROUND)
SHADE = Ink(variable="--shade", light="#ececea", dark="#23272e")
BAD = Ink(variable="--bad", light="#b3261e", dark="#ff8a80")
ACCENT = Ink(variable="--accent", light="#1f5fa8", dark="#8ab8f0")
ROLES = (INK, MUTED, RULE, FAINT, GROUND, SHADE, BAD, ACCENT)


def _growth_inks() -> tuple[Ink, ...]:
    """Nine steps from blue (vanishing) over the ground's grey to red (exploding), even in lightness to both sides."""
    half = NUM_GROWTH_COLOURS // 2
    inks = []
    for step in range(-half, half + 1):
        away = abs(step) / half
        hue, chroma = (255 if step < 0 else 35), 0.15 * away
        inks.append(
            Ink(
                variable=f"--growth-{step + half}",
                light=from_oklch(0.95 - 0.52 * away, chroma, hue),
                dark=from_oklch(0.29 + 0.50 * away, chroma, hue),
            )
        )
    return tuple(inks)


GROWTH_INKS = _growth_inks()


@dataclass(frozen=True, kw_only=True)
class LevelStyle:
    """How one level looks wherever it is drawn: colour of its marks, colour of its label, marker, name."""

    mark: Ink
    text: Ink
    marker: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Theme:
    """The inks of one report: the roles and, for every factor in plan order, the style of each of its levels."""

    styles: Mapping[str, Mapping[str, LevelStyle]] = field(default_factory=dict)

    @classmethod
    def of(cls, factors: Mapping[str, Sequence[Any]]) -> "Theme":
        """Give every level its style: a ramp for ordered factors, Okabe-Ito colours, used up in turn, for others."""
        taken = {ink.light for ink in (*ROLES, *GROWTH_INKS)}
        styles: dict[str, dict[str, LevelStyle]] = {}
        ramps, names = itertools.cycle(RAMP_HUES), itertools.cycle(OKABE_ITO)
        for number, (factor, levels) in enumerate(factors.items()):
            if _is_ordered(levels):
                colours = _ramp(len(levels), next(ramps))
            else:
                colours = [_on_both_grounds(next(names)) for _ in levels]
            styles[factor] = {
                _key(level): _style(f"--level-{number}-{place}", place, level, colours[place], taken)
                for place, level in enumerate(levels)
            }
        return cls(styles=styles)

    def style(self, factor: str, level: Any) -> LevelStyle:
        """The style of a level of a factor."""
        return self.styles[factor][_key(level)]

    def inks(self) -> list[Ink]:
        """Every ink that a picture of this report may use, no two with the same light colour."""
        styles = [style for levels in self.styles.values() for style in levels.values()]
        return [*ROLES, *GROWTH_INKS, *(ink for style in styles for ink in (style.mark, style.text))]

    def css(self, mode: str) -> str:
        """Declarations of all variables for `mode` "light" or "dark"."""
        return ";".join(f"{ink.variable}:{ink.light if mode == 'light' else ink.dark}" for ink in self.inks())

    def with_variables(self, svg: str) -> str:
        """A drawing whose colours are CSS variables: one drawing for light and dark."""
        variables = {ink.light: f"var({ink.variable})" for ink in self.inks()}
        return re.sub(r"#[0-9a-f]{6}\b", lambda match: variables.get(match.group(), match.group()), svg)


def _key(level: Any) -> str:
    """One text for what is the same level: 3 and 3.0, a list and a tuple; True and 1 are two."""
    if isinstance(level, list | tuple):
        return "-".join(_key(part) for part in level)
    is_number = isinstance(level, int | float) and not isinstance(level, bool)
    return repr(float(level) if is_number else level)


def _is_ordered(levels: Sequence[Any]) -> bool:
    return all(isinstance(level, int | float) and not isinstance(level, bool) for level in levels)


def _ramp(num_levels: int, hues: tuple[int, int]) -> list[tuple[str, str]]:
    """Colours from the smallest to the largest level: darker on light ground, brighter on dark."""
    shares = [0.6] if num_levels == 1 else [place / (num_levels - 1) for place in range(num_levels)]
    first, last = hues
    return [
        (
            from_oklch(0.64 - 0.32 * share, 0.135, first + share * (last - first)),
            from_oklch(0.56 + 0.32 * share, 0.125, first + share * (last - first)),
        )
        for share in shares
    ]


def _on_both_grounds(colour: str) -> tuple[str, str]:
    """A named colour where it can be seen as a mark: contrast 3 on light ground, 4 on dark."""
    return readable(colour, LIGHT_GROUND, 3), readable(colour, DARK_GROUND, 4)


def _style(variable: str, place: int, level: Any, colours: tuple[str, str], taken: set[str]) -> LevelStyle:
    light, dark = colours
    text_light, text_dark = readable(light, LIGHT_GROUND), readable(dark, DARK_GROUND)
    mark = Ink(variable=variable, light=_untaken(light, taken), dark=dark)
    text = Ink(variable=variable + "-text", light=_untaken(text_light, taken), dark=text_dark)
    return LevelStyle(mark=mark, text=text, marker=MARKERS[place % len(MARKERS)], name=level_name(level))


def _untaken(colour: str, taken: set[str]) -> str:
    """The colour, or its nearest neighbour that no other ink is drawn in; to the eye the same."""
    value = int(colour[1:], 16)
    step = 1 if value & 0xFF < 0x80 else -1
    while f"#{value:06x}" in taken:
        value += step
    taken.add(f"#{value:06x}")
    return f"#{value:06x}"
