"""The first screen's parts: how to use the best configuration, and what was compared."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from reports.pages.page import write_report
from reports.sections.answer import how_to_use
from reports.sections.parts.section import several
from tests.reports.odd_inputs import SMALL
from tests.reports.reported import without_pixels
from tests.reports.sample import sample_inputs


def test_the_model_beside_the_page_is_used_in_two_lines_and_a_name_is_quoted() -> None:
    inputs = sample_inputs(SMALL, num_blocks=3, rates=2)
    paths = [f"models/best/block-{block}.safetensors" for block in (10, 2, 0)]
    kept = pd.DataFrame({"path": [*paths, "models/stage/block-0.safetensors"], "num_bytes": 1, "sha256": ""})
    use = how_to_use(replace(inputs, artifacts=kept, study="a; rm -rf b"), {"block": 0})
    assert use["python"] == 'model = studies.load_model("models/best")'
    assert use["predict"] == "studies predict models/best --input FILE"
    assert use["num"] == 3
    assert use["command"] == "studies show 'a; rm -rf b'"


def test_nothing_is_promised_where_no_model_is_kept() -> None:
    inputs = sample_inputs(SMALL, num_blocks=3, rates=2)
    use = how_to_use(replace(inputs, artifacts=inputs.artifacts.iloc[:0]), None)
    assert use["python"] is use["predict"] is None
    assert use["num"] == 0


def test_a_factor_of_one_level_compares_nothing_unless_it_is_alone() -> None:
    assert several({"depth": (3, 5), "optimizer": ("sgd",)}) == {"depth": (3, 5)}
    assert several({"optimizer": ("sgd",)}) == {"optimizer": ("sgd",)}


def test_the_page_says_that_the_model_lies_beside_it_only_where_it_does(tmp_path: Path) -> None:
    study = sample_inputs(SMALL, num_blocks=3, rates=2)
    path = "models/best/block-0.safetensors"
    kept = pd.DataFrame({"path": [path], "num_bytes": 1, "sha256": ""})
    inputs = replace(study, artifacts=kept)
    with without_pixels():
        there = tmp_path / "there"
        (there / path).parent.mkdir(parents=True)
        (there / path).write_bytes(b"0")
        assert "Its weights lie beside this page" in write_report(inputs, there).read_text("utf-8")
        page = write_report(inputs, tmp_path / "elsewhere").read_text("utf-8")
    assert "beside this page in <code>models/best" not in page
    assert "where the study was run, not beside this page, in <code>models/best/</code>" in page
