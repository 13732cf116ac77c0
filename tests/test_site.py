"""The documentation's site: links that lead out of docs/ become links of the site, and examples become code."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.readme import PAGES, ROOT

MKDOCS = importlib.util.find_spec("mkdocs")


def from_ci(name: str) -> ModuleType:
    """Import a module of .ci, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("source", "link", "made"),
    [
        ("README.md", "[a](docs/claims.md#looks)", "[a](claims.md#looks)"),
        ("README.md", "![a](docs/report.png)", "![a](report.png)"),
        ("README.md", "[a](CHANGELOG.md)", "[a](changelog.md)"),
        ("docs/public.md", "[a](../CHANGELOG.md)", "[a](changelog.md)"),
        ("docs/speed.md", "[`k/`](../trainables/kernels/epoch.py)", "`k/`"),
        ("docs/api/index.md", "[a](../public.md)", "[a](../public.md)"),
        ("docs/api/index.md", "[a](../../README.md)", "[a](../index.md)"),
        ("docs/model.md", "[a](#top) [b](https://x.org/y)", "[a](#top) [b](https://x.org/y)"),
        ("docs/model.md", "```python\n[a](../README.md)\n```\n", "```python\n[a](../README.md)\n```\n"),
    ],
)
def test_a_link_leads_to_the_same_page_on_the_site(source: str, link: str, made: str) -> None:
    assert from_ci("site_pages").site_links(link, source) == made


def test_every_page_of_the_documentation_is_in_the_sites_contents() -> None:
    contents = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    places = from_ci("site_pages").PAGES
    for name in PAGES:
        assert f" {places.get(name, name.removeprefix('docs/'))}\n" in contents, name
    for path in (ROOT / "docs" / "api").iterdir():
        assert f" api/{path.name}\n" in contents


def test_examples_of_a_docstring_become_one_block() -> None:
    if importlib.util.find_spec("griffe") is None:
        pytest.skip("mkdocstrings is not installed (the extra docs)")
    fenced = from_ci("doctest_blocks").fenced
    text = "Add.\n\n>>> a = 1\n>>> a + 1\n2\n\n>>> a\n1\n\nThat is all."
    assert fenced(text) == f"Add.\n\n```pycon\n{text[6:-14]}\n```\n\nThat is all."
    assert fenced("a >>> b") == "a >>> b"


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_fetches_nothing(tmp_path: Path) -> None:
    """`.ci/run` builds it each time."""
    if MKDOCS is None:
        pytest.skip("mkdocs is not installed (the extra docs)")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for page in tmp_path.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="https?:', text) == [], page
