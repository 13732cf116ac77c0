"""The documentation's texts (README, docs/, CONTRIBUTING) and their code blocks."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
}
README = PAGES["README.md"]


def block(name: str) -> str:
    """Return the code of the block after the comment `<!-- NAME -->`; all pages that have it have the same."""
    found: set[str] = {
        code
        for text in PAGES.values()
        for code in re.findall(rf"<!-- {re.escape(name)} -->\s*```\w+\n(.*?)\n```", text, re.DOTALL)
    }
    assert len(found) == 1, f"the documentation has {len(found)} different blocks {name}"
    return found.pop()


def shell_lines(text: str) -> list[str]:
    """Return every command of a page's shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)\n```", text, re.DOTALL)
    lines = [line for each in blocks for line in each.splitlines() if line.strip()]
    return [command for line in lines for command in re.split(r"\s*&&\s*", line)]


def spans(text: str) -> list[str]:
    """Return what stands in backticks in a page's prose and tables, without its code blocks."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [re.sub(r"\s+", " ", span) for span in re.findall(r"`([^`]+)`", prose)]


def anchors(text: str) -> set[str]:
    """Return the names by which a page's headings can be linked to, as GitHub makes them."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
