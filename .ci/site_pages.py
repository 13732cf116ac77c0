"""A hook of mkdocs: README, CONTRIBUTING and CHANGELOG become pages beside docs/, and links between all lead on.

In the repository they link to each other as files, which a plain git host shows; for the site nothing in them changes.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""The root's pages, and their places in the site."""
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the root's pages to those of docs/."""
    from mkdocs.structure.files import File

    for source, place in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, place, content=site_links(text, source)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Mend the links of a page of docs/ that lead out of it."""
    is_of_root = page.file.src_uri in PAGES.values()
    return markdown if is_of_root else site_links(markdown, f"docs/{page.file.src_uri}")


def site_links(text: str, source: str) -> str:
    """Return the text of a file of the repository with its links as the site has them.

    A link to a file that is no page, such as one of the code, becomes its text: a site has no files of the code.
    """
    place = PurePosixPath(PAGES.get(source, source.removeprefix("docs/")))

    def mended(match: re.Match[str]) -> str:
        mark, words, link = match.groups()
        path, _, anchor = link.partition("#")
        if not path or ":" in path:
            return match.group()
        target = _joined(PurePosixPath(source).parent, path)
        if target in PAGES:
            page = PAGES[target]
        elif target.startswith("docs/"):
            page = target.removeprefix("docs/")
        else:
            return words
        up = "../" * (len(place.parts) - 1)
        return f"{mark}[{words}]({up}{page}{'#' + anchor if anchor else ''})"

    # What stands in a block of code is no link.
    parts = re.split(r"(^```.*?^```)", text, flags=re.DOTALL | re.MULTILINE)
    return "".join(part if part.startswith("```") else LINK.sub(mended, part) for part in parts)


def _joined(folder: PurePosixPath, path: str) -> str:
    """Return a path relative to the root, from one relative to a folder in it."""
    parts: list[str] = list(folder.parts)
    for part in path.split("/"):
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
