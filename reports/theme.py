"""One look for the whole report: inks for light and dark, and one colour and one marker for every level.

Pictures are drawn once, in placeholder colours. The page replaces a placeholder by its CSS variable, so that one
drawing serves light and dark; the standalone files get the real colours for a light ground.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reports.colours import from_oklch, readable
from reports.words import level_name

LIGHT_GROUND, DARK_GROUND = "#fdfdfb", "#15171b"
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
RAMP_HUES = ((205, 275), (350, 320), (115, 150))
NUM_GROWTH_COLOURS = 9


@dataclass(frozen=True, kw_only=True)
class Ink:
    """A colour with a role: the placeholder it is drawn in, its CSS variable, its values on light and dark ground."""

    placeholder: str
    variable: str
    light: str
    dark: str


def _ink(code: int, name: str, light: str, dark: str) -> Ink:
    return Ink(placeholder=f"#0e{code:04x}", variable=f"--{name}", light=light, dark=dark)


INK = _ink(1, "ink", "#1d2025", "#e9eaec")
MUTED = _ink(2, "muted", "#5c636e", "#a3aab5")
RULE = _ink(3, "rule", "#dcdfe4", "#343942")
FAINT = _ink(4, "faint", "#a9b0ba", "#5f6773")
GROUND = _ink(5, "ground", LIGHT_GROUND, DARK_GROUND)
SHADE = _ink(6, "shade", "#ececea", "#23272e")
BAD = _ink(7, "bad", "#b3261e", "#ff8a80")
ACCENT = _ink(8, "accent", "#1f5fa8", "#8ab8f0")
ROLES = (INK, MUTED, RULE, FAINT, GROUND, SHADE, BAD, ACCENT)


def _growth_inks() -> tuple[Ink, ...]:
    """Nine steps from blue (vanishing) over the ground's grey to red (exploding), even in lightness to both sides."""
    half = NUM_GROWTH_COLOURS // 2
    inks = []
    for step in range(-half, half + 1):
        away = abs(step) / half
        hue, chroma = (255 if step < 0 else 35), 0.15 * away
        inks.append(
            _ink(
                0x20 + step + half,
                f"growth-{step + half}",
                from_oklch(0.95 - 0.52 * away, chroma, hue),
                from_oklch(0.29 + 0.50 * away, chroma, hue),
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
        styles: dict[str, dict[str, LevelStyle]] = {}
        code, num_ramps, num_named = 0x100, 0, 0
        for factor, levels in factors.items():
            if _is_ordered(levels):
                colours = _ramp(len(levels), RAMP_HUES[num_ramps % len(RAMP_HUES)])
                num_ramps += 1
            else:
                names = [OKABE_ITO[(num_named + place) % len(OKABE_ITO)] for place in range(len(levels))]
                colours = [(readable(name, LIGHT_GROUND, 3), readable(name, DARK_GROUND, 4)) for name in names]
                num_named += len(levels)
            styles[factor] = {
                _key(level): _style(code + 2 * place, place, level, colours[place])
                for place, level in enumerate(levels)
            }
            code += 2 * len(levels)
        return cls(styles=styles)

    def style(self, factor: str, level: Any) -> LevelStyle:
        """The style of a level of a factor."""
        return self.styles[factor][_key(level)]

    def inks(self) -> list[Ink]:
        """Every ink that a picture of this report may use."""
        levels = [ink for styles in self.styles.values() for style in styles.values() for ink in (style.mark, style.text)]
        return [*ROLES, *GROWTH_INKS, *levels]

    def css(self, mode: str) -> str:
        """Declarations of all variables for `mode` "light" or "dark"."""
        return ";".join(f"{ink.variable}:{ink.light if mode == 'light' else ink.dark}" for ink in self.inks())

    def with_variables(self, svg: str) -> str:
        """A drawing whose placeholders are CSS variables: one drawing for light and dark."""
        return self._replace(svg, {ink.placeholder: f"var({ink.variable})" for ink in self.inks()})

    def with_light_colours(self, svg: str) -> str:
        """A drawing in real colours for a light ground, for the standalone files."""
        return self._replace(svg, self.light_colours())

    def light_colours(self) -> dict[str, str]:
        """Placeholder to real colour on light ground."""
        return {ink.placeholder: ink.light for ink in self.inks()}

    def _replace(self, svg: str, colours: Mapping[str, str]) -> str:
        return re.sub(r"#0e[0-9a-f]{4}", lambda match: colours.get(match.group(), match.group()), svg)


def _key(level: Any) -> str:
    return json.dumps(level, sort_keys=True)


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


def _style(code: int, place: int, level: Any, colours: tuple[str, str]) -> LevelStyle:
    light, dark = colours
    name = f"level-{code:x}"
    mark = _ink(code, name, light, dark)
    text = _ink(code + 1, name + "-text", readable(light, LIGHT_GROUND), readable(dark, DARK_GROUND))
    return LevelStyle(mark=mark, text=text, marker=MARKERS[place % len(MARKERS)], name=level_name(level))
