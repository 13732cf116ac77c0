"""`--bundle`: a study's page and everything that belongs to it, in one ZIP file that can be passed on."""

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from studies.base.steps import Tell
from studies.exchange.destinations import check_file, write_file
from studies.exchange.frames import every_recorded_frame
from studies.exchange.table_files import Sink

if TYPE_CHECKING:
    from studies.database.rows import StudyRow
    from studies.database.store import Store
    from studies.results.report_inputs import Findings

OPTION: Final = "--bundle"
CARD: Final = ("models/best/README.md", "models/best/evaluation.json")
"""Of the model its card and its evaluation; not the model itself, which has an export of its own."""
MADE_AT: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every member, the first that a ZIP file can name: the same files give the same bytes."""
_LINK = re.compile(r'href="((?:figures|frames|trials)/\w[\w-]*\.(?:svg|png|csv|html))"', re.ASCII)
_PART_BYTES = 1 << 20
_MOST_BYTES_OF_ROW = 400
"""Of a row of epochs or layers as CSV; a member that may pass 2 GiB is told so before it is written."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file of a bundle: its path below the bundle's only folder, and its bytes in parts."""

    name: str
    parts: Iterable[bytes]
    most_bytes: int = 0


def check(path: Path) -> None:
    """Raise UsageError unless a bundle can be written to `path`."""
    check_file(OPTION, path, ending=".zip", kind="ZIP file")


def export(
    store: "Store", study: "StudyRow", findings: "Findings", page: Path, path: Path, *, tell: Tell
) -> int:
    """Pack the page, just made from `findings`, and all that belongs to it; return the size of the file in bytes.

    It appears whole or not at all, and the same files give the same bytes. All members lie in one folder, named as the
    study; none is a link. Of a very large study, whose page does with fewer, all epochs and layers are read.
    """
    tell("reading the frames")
    if findings.inputs.recorded_epochs is not None:
        from studies.results.report_inputs import report_inputs

        findings = replace(findings, inputs=report_inputs(store, study, whole=True))
    tell("packing")
    members = [*_files(page), *_frames(findings)]
    about = Member(name="README.txt", parts=[_readme(study.name, [each.name for each in members]).encode()])
    write_file(path, zipped(study.name, [about, *members]))
    return path.stat().st_size


def zipped(folder: str, members: Iterable[Member]) -> Iterator[bytes]:
    """Yield a ZIP file of these members, in their order, with little memory whatever their size."""
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            info = zipfile.ZipInfo(f"{folder}/{member.name}", date_time=MADE_AT)
            info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
            info.external_attr = 0o100644 << 16
            is_large = member.most_bytes > zipfile.ZIP64_LIMIT
            with archive.open(info, mode="w", force_zip64=is_large) as file:
                for part in member.parts:
                    file.write(part)
                    yield sink.take()
    yield sink.take()


def _files(page: Path) -> Iterator[Member]:
    """The page, the files to which it and its trials' pages link, and the model's card, as far as they are there."""
    folder = page.parent
    linked = _links(page)
    trials = [name for name in linked if name.startswith("trials/")]
    of_trials = [f"trials/{name}" for trial in trials for name in _links(folder / trial)]
    wanted = [page.name, "report.json", "analysis.md", *linked, *of_trials, *CARD]
    recorded = {f"frames/{name}.csv" for name in _recorded_names()}
    for name in dict.fromkeys(wanted):
        path = folder / name
        # A link is no file of the study, wherever it leads.
        if name not in recorded and path.is_file() and not path.is_symlink():
            yield Member(name=name, parts=_parts_of(path), most_bytes=path.stat().st_size)


def _recorded_names() -> tuple[str, ...]:
    from reports.pages.page import RECORDED

    return RECORDED


def _frames(findings: "Findings") -> Iterator[Member]:
    from reports.pages.rendering import csv_parts

    for name, frame in every_recorded_frame(findings.inputs).items():
        most = len(frame) * _MOST_BYTES_OF_ROW
        yield Member(name=f"frames/{name}.csv", parts=csv_parts(frame), most_bytes=most)


def _links(page: Path) -> list[str]:
    """The files beside a page to which it links, in order; a name of theirs has no folder above it, nor a dot."""
    if not page.is_file():
        return []
    return list(dict.fromkeys(_LINK.findall(page.read_text(encoding="utf-8"))))


def _parts_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(_PART_BYTES):
            yield part


ABOUT: Final = (
    ("report.html", "the report; open it in a browser. It needs nothing else, and can be passed on alone"),
    ("report.json", "every number of the report"),
    ("analysis.md", "the verdict and the analysis as text"),
    ("figures/", "the figures, each as SVG and as PNG"),
    ("frames/", "what each figure shows (named as it), and all that was recorded, as CSV: trials, replicates\n"
     "    (one row a network), epochs, gradients (one row a hidden layer), events, evaluation, artifacts"),
    ("trials/", "a page for each confirmed configuration, to which the report links"),
    ("models/best/", "the card of the best model and its evaluation"),
)  # fmt: skip


def _readme(study: str, names: list[str]) -> str:
    """What each file of the bundle is, as far as it is there."""
    there = [f"{name}\n    {about}." for name, about in ABOUT if any(each.startswith(name) for each in names)]
    model = f"The model itself is not among them. Where the study is: studies export {study} --model DIR"
    head = f"The study {study}, as its report shows it: passed on with `studies report {study} --bundle`."
    return "\n\n".join([head, *there, model]) + "\n"
