"""Colour arithmetic: OKLCH to sRGB, contrast as WCAG defines it, and the lightness that reaches a contrast."""

import math


def from_oklch(lightness: float, chroma: float, hue: float) -> str:
    """An OKLCH colour (lightness 0..1, chroma about 0..0.3, hue in degrees) as a hex colour.

    Matrices of https://bottosson.github.io/posts/oklab; what lies outside sRGB loses chroma until it fits.
    """
    angle = math.radians(hue)
    a, b = chroma * math.cos(angle), chroma * math.sin(angle)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    if chroma > 0.002 and (min(linear) < -0.0005 or max(linear) > 1.0005):
        return from_oklch(lightness, chroma * 0.97, hue)
    return "#" + "".join(f"{round(255 * _encode(channel)):02x}" for channel in linear)


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two hex colours, 1 to 21."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def readable(colour: str, ground: str, ratio: float = 4.5) -> str:
    """The colour, mixed with black or white (whichever is farther from the ground) until it reaches the ratio."""
    toward = 0.0 if _luminance(ground) > 0.18 else 1.0
    for step in range(41):
        share = step / 40
        mixed = [(1 - share) * channel + share * toward for channel in _channels(colour)]
        candidate = "#" + "".join(f"{round(255 * channel):02x}" for channel in mixed)
        if contrast(candidate, ground) >= ratio:
            return candidate
    raise ValueError(f"no shade of {colour} reaches a contrast of {ratio} on {ground}")


def _channels(colour: str) -> list[float]:
    return [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]


def _luminance(colour: str) -> float:
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in _channels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _encode(channel: float) -> float:
    channel = min(1.0, max(0.0, channel))
    return 12.92 * channel if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055
