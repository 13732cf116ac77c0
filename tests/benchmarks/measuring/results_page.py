"""RESULTS.md: one section for each part of the benchmarks, each with when, where and how it was measured."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HEAD = """# Benchmark results

Written by `python -m tests.benchmarks`, section by section; each names its command, machine and versions. Ratios are
of two things measured in one run, in turn, with median and range. Nothing here is tested: figures of a loaded machine
say so.
"""
_SECTION = re.compile(r"<!-- (?P<name>\w+) -->\n(?P<text>.*?)<!-- end -->\n", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Section:
    """What one part measured."""

    title: str
    command: str
    measured: str
    load: str
    body: str

    def render(self) -> str:
        """Return it as Markdown."""
        return f"## {self.title}\n\n`{self.command}`, {self.measured}; {self.load}.\n\n{self.body}\n"


def write_sections(path: Path, sections: Mapping[str, Section], *, order: Sequence[str]) -> None:
    """Write sections into a page, in `order`; those that it has of other parts stay as they are, unknown ones last."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    texts = {match["name"]: match["text"] for match in _SECTION.finditer(before)}
    texts |= {name: section.render() for name, section in sections.items()}
    names = sorted(texts, key=lambda name: order.index(name) if name in order else len(order))
    parts = [f"<!-- {name} -->\n{texts[name]}<!-- end -->\n" for name in names]
    path.write_text("\n".join([HEAD, *parts]), encoding="utf-8")
