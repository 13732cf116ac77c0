"""axe-core on a page in a real browser: which rules of accessibility the page breaks, and where."""

import json
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from tests.browser import Browser


@cache
def _axe() -> str:
    """The library's text, from a package that brings the newest one; no other part of that package is used."""
    package = distribution("axe-playwright-python")
    path = package.locate_file("axe_playwright_python/axe.min.js")
    return Path(str(path)).read_text(encoding="utf-8")


def violations(page: Browser) -> list[str]:
    """Return what is wrong with the page as it stands: rule, weight, and the first elements that break it.

    axe is evaluated by the debugging protocol, to which the page's content policy does not apply. Its colours are those
    of the scheme that the browser prefers.
    """
    page.evaluate(f"{_axe()};0")
    found = json.loads(page.settled("axe.run().then((result) => JSON.stringify(result.violations))"))
    return [
        f"{each['id']} ({each['impact']}): {node['html'][:160]} | {node['failureSummary'][:300]}"
        for each in found
        for node in each["nodes"][:3]
    ]
