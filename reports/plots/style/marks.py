"""What a picture says where it is touched: the value behind every mark, and whose it is (a level, a cell, a verdict).

Marks and areas hang on the axes that they are drawn in, as an artist that draws nothing; `read` gives them as points of
the panel. What belongs to one level, cell or verdict is tagged, so that a page can dim it when another is chosen.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, final

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from reports.wording.words import interval_ends, level_name, number, small

Of = tuple[tuple[str, str], ...]
"""Whose something is: pairs of a kind and a name. Of several names of one kind it belongs to each."""
Points = npt.NDArray[np.float64]
CELL, VERDICT, LEVEL = "cell", "verdict", "="
"""Kinds: a level's is this sign and its factor, so that no factor's name can be taken for another kind."""
EDGE = 0.5
"""Points that rounding may place a mark outside its panel."""
TAG, TAGS = "of-", "each-"
"""What the ids of tagged groups start with: of one owner, and of one for each element within."""


def levels(factor: str | None, *values: Any) -> Of:
    """Of these levels of a factor; of nobody without one.

    >>> levels("depth", 5)
    (('=depth', '5'),)
    """
    return () if factor is None else tuple((LEVEL + factor, level_name(value)) for value in values)


def setting(found: Mapping[str, Any]) -> Of:
    """Of every level of a setting."""
    return tuple(pair for factor, value in found.items() for pair in levels(factor, value))


def cell(number_of_cell: Any) -> Of:
    """Of a cell; of nobody where there is none, as in a study that compares no cells."""
    if number_of_cell is None or number_of_cell != number_of_cell:
        return ()
    return ((CELL, str(int(number_of_cell))),)


def verdict(name: Any) -> Of:
    """Of the networks with this verdict; of nobody where a network has none."""
    return ((VERDICT, name),) if isinstance(name, str) else ()


class Group(NamedTuple):
    """Marks that are told alike: where each stands in points from the panel's left and top, and what it says.

    A text is its parts one after another; a part is the same for all marks, or one for each. `of` is whose all are, or
    one for each. `ends` are where its bar or interval starts and ends: along x (`across`) or y. `faint` ones stand
    behind a mean, which is meant where both are near.
    """

    x: Points
    y: Points
    parts: tuple[str | tuple[str, ...], ...]
    of: Of | tuple[Of, ...]
    each: bool
    ends: tuple[Points, Points] | None
    across: bool
    faint: bool = False


class Area(NamedTuple):
    """A box of a grid, in points from the panel's left and top, and whose it is."""

    left: float
    top: float
    width: float
    height: float
    of: Of


@dataclass(frozen=True, kw_only=True)
class Marks:
    """All marks of a panel, its areas, and the owners that its tags name by their places."""

    groups: tuple[Group, ...] = ()
    areas: tuple[Area, ...] = ()
    owners: tuple[Of, ...] = ()

    @property
    def num(self) -> int:
        """How many marks there are."""
        return sum(len(group.x) for group in self.groups)

    def texts(self) -> list[str]:
        """What every mark says, in reading order."""
        return [
            "".join(part if isinstance(part, str) else part[place] for part in group.parts)
            for group in self.groups
            for place in range(len(group.x))
        ]


@final
@dataclass(eq=False)
class _Held(Artist):
    """What hangs on an axes: it draws nothing."""

    groups: list[Group] = field(default_factory=list)
    areas: list[Area] = field(default_factory=list)
    owners: dict[Of, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self.set_in_layout(False)

    def draw(self, renderer: Any) -> None:
        """Draw nothing."""

    def place_of(self, owner: Of) -> int:
        return self.owners.setdefault(owner, len(self.owners))


def _held(ax: Axes) -> _Held:
    for child in reversed(ax.artists):
        if isinstance(child, _Held):
            return child
    held = _Held()
    ax.add_artist(held)
    return held


def mark(
    ax: Axes,
    x: Any,
    y: Any,
    *parts: str | Iterable[str],
    of: Of = (),
    of_each: Sequence[Of] | None = None,
    ends: tuple[Any, Any] | None = None,
    across: bool = False,
    faint: bool = False,
) -> None:
    """Say of marks at `x` and `y` (data, arrays or one number for all) what `parts` put together.

    A part is a text for all, or one text for each. `of` is whose all of them are, `of_each` whose each is besides.
    `ends`: where the bar or the interval of each begins and ends, along x (`across`) or y. `faint` marks stand behind
    a mean, which is meant where both are near. What is not finite, as the mean of no network, is no mark.
    """
    group = group_of(x, y, *parts, of=of, of_each=of_each, ends=ends, across=across, faint=faint)
    if len(group.x):
        _held(ax).groups.append(group)


def group_of(
    x: Any,
    y: Any,
    *parts: str | Iterable[str],
    of: Of = (),
    of_each: Sequence[Of] | None = None,
    ends: tuple[Any, Any] | None = None,
    across: bool = False,
    faint: bool = False,
) -> Group:
    """Return what `mark` hangs on the axes, in data coordinates."""
    xs, ys = np.broadcast_arrays(
        np.atleast_1d(np.asarray(x, dtype=float)), np.atleast_1d(np.asarray(y, dtype=float))
    )
    told = tuple(part if isinstance(part, str) else tuple(part) for part in parts)
    assert all(isinstance(part, str) or len(part) == len(xs) for part in told), "one text for each mark"
    bounds = None if ends is None else tuple(np.broadcast_to(np.asarray(e, float), xs.shape) for e in ends)
    owners: Of | tuple[Of, ...] = of if of_each is None else tuple((*of, *each) for each in of_each)
    kept = np.isfinite(xs) & np.isfinite(ys)
    if not kept.all():
        xs, ys = xs[kept], ys[kept]
        told = tuple(part if isinstance(part, str) else _kept(part, kept) for part in told)
        bounds = None if bounds is None else tuple(each[kept] for each in bounds)
        owners = owners if of_each is None else _kept(owners, kept)
    both = None if bounds is None else (bounds[0], bounds[1])
    return Group(xs, ys, told, owners, of_each is not None, both, across, faint)


def _kept(values: Sequence[Any], kept: npt.NDArray[np.bool_]) -> tuple[Any, ...]:
    return tuple(value for value, stays in zip(values, kept, strict=True) if stays)


def area(ax: Axes, left: float, top: float, width: float, height: float, of: Of) -> None:
    """Say whose a box of a grid is (data coordinates of axes whose unit is a point)."""
    _held(ax).areas.append(Area(left, top, width, height, of))


def tag(artist: Artist, of: Of, ax: Axes) -> None:
    """Say whose an artist is; nothing is said of what is nobody's."""
    if of:
        artist.set_gid(f"{TAG}{_held(ax).place_of(of)}")


def tag_each(artist: Artist, ofs: Iterable[Of], ax: Axes) -> None:
    """Say whose each path of a collection is, or each marker of a line without a line.

    Each of them must be finite and inside the panel, so that it is drawn.
    """
    places = [_held(ax).place_of(of) for of in ofs]
    if places:
        artist.set_gid(TAGS + ",".join(map(str, places)))


def read(ax: Axes, width: float, height: float) -> Marks:
    """Return the marks of an axes in points of its panel, which has this size; the figure's unit must be a point.

    What lies outside the panel, as 0 on a log scale, is not drawn and has no mark; an interval ends at its edge.
    """
    found = [child for child in ax.artists if isinstance(child, _Held)]
    if not found:
        return Marks()
    held, to_points = found[0], ax.transData.transform

    def placed(x: Points, y: Points) -> tuple[Points, Points]:
        with np.errstate(divide="ignore", invalid="ignore"):
            points = np.asarray(to_points(np.column_stack([x, y])), dtype=float)
        return points[:, 0], height - points[:, 1]

    groups = tuple(in_points(group, placed, width, height) for group in held.groups)
    return Marks(groups=groups, areas=tuple(held.areas), owners=tuple(held.owners))


def in_points(
    group: Group, placed: Callable[[Points, Points], tuple[Points, Points]], width: float, height: float
) -> Group:
    """Return marks in points of a panel of this size, to which `placed` takes data coordinates."""
    x, y = placed(group.x, group.y)
    ends = None
    if group.ends is not None:
        both = [placed(end, group.y)[0] if group.across else placed(group.x, end)[1] for end in group.ends]
        most = width if group.across else height
        ends = (np.clip(both[0], 0, most), np.clip(both[1], 0, most))
    kept = (x > -EDGE) & (x < width + EDGE) & (y > -EDGE) & (y < height + EDGE)
    if not kept.all():
        parts = tuple(p if isinstance(p, str) else _kept(p, kept) for p in group.parts)
        of = _kept(group.of, kept) if group.each else group.of
        ends = None if ends is None else (ends[0][kept], ends[1][kept])
        group, x, y = group._replace(parts=parts, of=of), x[kept], y[kept]
    return group._replace(x=x, y=y, ends=ends)


def told(values: Iterable[float], say: Callable[[float], str] = number) -> tuple[str, ...]:
    """Each value in words; `say` is how."""
    return tuple([say(float(value)) for value in values])


def fine(value: float) -> str:
    """A ratio or a gradient: three significant digits, over however many orders of magnitude."""
    return small(value, 3)


def whole(values: Iterable[float]) -> tuple[str, ...]:
    """Epochs, layers and other counts."""
    return tuple([str(int(value)) for value in values])


def told_intervals(
    low: Iterable[float], high: Iterable[float], what: str = "95 % interval", scale: float = 1
) -> tuple[str, ...]:
    """Each interval as what follows a value: ", 95 % interval 0.40 to 0.43"; nothing where there is none."""
    return tuple(
        [
            f", {what} {interval_ends(scale * a, scale * b)}" if math.isfinite(a) and math.isfinite(b) else ""
            for a, b in zip(low, high, strict=True)
        ]
    )
