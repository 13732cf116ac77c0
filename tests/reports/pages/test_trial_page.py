"""One trial's page: whole, self-contained, the same bytes each time, and every verdict with its reason."""

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from reports.inputs.inputs import ReportInputs
from reports.pages.trial_page import NO_DETAILS, write_trial_page, write_trial_pages
from reports.results.paged import paged_trials
from tests.reports.looked_at import until_clear
from tests.reports.sample import sample_inputs, sample_tuning


def last_trial(inputs: ReportInputs) -> int:
    return int(inputs.trials["number"].max())


def words(page: Path) -> str:
    html = re.sub(r"<style>.*?</style>|<svg.*?</svg>", "", page.read_text(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_a_confirmed_trial_shows_its_configuration_losses_layers_and_verdicts(
    inputs: ReportInputs, tmp_path: Path
) -> None:
    page = write_trial_page(inputs, last_trial(inputs), tmp_path)
    assert page == tmp_path / "trials" / f"trial-{last_trial(inputs)}.html"
    text, html = words(page), page.read_text()
    assert "Depth 7, batch norm on" in text
    assert html.count("<figure") == 2
    for said in (
        "learning rate",
        "nuisance",
        "fixed",
        "Its verdicts",
        "Its networks",
        "total growth above 100",
    ):
        assert said in text
    assert not re.search(r"\bnan\b|\bNone\b|\binf\b", text)


def test_the_page_fetches_nothing_and_its_links_exist(inputs: ReportInputs, tmp_path: Path) -> None:
    page = write_trial_page(inputs, last_trial(inputs), tmp_path)
    html = unescape(page.read_text())
    assert "default-src 'none'" in html
    assert html.count("<script") == 2  # what its marks say, and what shows it
    assert "://" not in html
    links = set(re.findall(r'href="([^"#]+\.(?:svg|png|csv))"', html))
    assert len(links) == 4
    assert all((page.parent / link).stat().st_size > 0 for link in links)


def test_the_rule_that_fired_stands_with_its_value_and_threshold(
    inputs: ReportInputs, tmp_path: Path
) -> None:
    number = last_trial(inputs)
    judged = {
        "verdict": "EXPLODING",
        "holds": [
            {"verdict": "EXPLODING", "measure": "growth", "value": 2.345, "threshold": 1.6},
            {"verdict": "WATCH", "measure": "total_growth", "value": 64.0, "threshold": 10.0},
        ],
        "measures": {"total_growth_low": 20.0, "total_growth_high": 64.0},
        "notes": [],
    }
    vanished = {
        "verdict": "VANISHING",
        "holds": [{"verdict": "VANISHING", "measure": "total_growth", "value": 0.0, "threshold": 0.01}],
        "measures": {"total_growth_low": 0.0, "total_growth_high": 0.5},
        "notes": [],
    }
    mine = inputs.replicates["trial_number"] == number
    both = {"initial": vanished, "trained": judged}
    stored = pd.Series([both if each else None for each in mine], index=mine.index, dtype=object)
    page = write_trial_page(
        replace(inputs, replicates=inputs.replicates.assign(verdicts=stored)), number, tmp_path
    )
    text = words(page)
    assert "growth per layer 2.35, above 1.6 WATCH: total growth 64, above 10 64.0" in text
    assert "total growth 0, below 0.01" in text


def test_a_search_trial_says_that_reasons_are_not_recorded(inputs: ReportInputs, tmp_path: Path) -> None:
    text = words(write_trial_page(inputs, 1, tmp_path))
    assert NO_DETAILS in text
    assert "the rule that fired" not in text


def test_one_hidden_layer_has_no_growth_and_the_page_says_so(tmp_path: Path) -> None:
    shallow = sample_inputs({"depth": (1, 2)}, num_blocks=3, rates=1)
    number = int(shallow.trials.loc[shallow.trials["depth"] == 1, "number"].max())
    text = words(write_trial_page(shallow, number, tmp_path))
    assert "Growth is undefined with one hidden layer" in text


def test_a_failed_trial_shows_its_error_escaped(inputs: ReportInputs, tmp_path: Path) -> None:
    number = last_trial(inputs)
    mine = inputs.trials["number"] == number
    empty = {
        name: getattr(inputs, name)[getattr(inputs, name)["trial_number"] != number]
        for name in ("replicates", "epochs", "gradients")
    }
    trials = inputs.trials.assign(
        state=np.where(mine, "failed", inputs.trials["state"]),
        error=pd.Series("<b>Error</b>: it broke", index=mine.index).where(mine, None),
        objective=np.where(mine, np.nan, inputs.trials["objective"]),
    )
    html = write_trial_page(replace(inputs, trials=trials, **empty), number, tmp_path).read_text()
    assert "&lt;b&gt;Error" in html
    assert "No layer is recorded" in html
    assert "None of its networks has a verdict" in html


def test_infinities_leave_a_whole_page(inputs: ReportInputs, tmp_path: Path) -> None:
    broken = replace(
        inputs,
        gradients=inputs.gradients.assign(delta_rms=np.inf, update_ratio=np.nan),
        epochs=inputs.epochs.assign(train_loss=np.nan, val_loss=np.inf),
    )
    html = write_trial_page(broken, last_trial(inputs), tmp_path).read_text()
    assert html.rstrip().endswith("</html>")


def test_a_trial_of_a_study_without_cells_has_a_page(tmp_path: Path) -> None:
    tuning = sample_tuning(budget=12, num_blocks=3)
    text = words(write_trial_page(tuning, last_trial(tuning), tmp_path))
    assert "cell" not in text.split("Loss and accuracy")[0]


def test_the_same_inputs_give_the_same_bytes(inputs: ReportInputs, tmp_path: Path) -> None:
    number = last_trial(inputs)
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        write_trial_page(inputs, number, folder)
    one, two = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in folders
    )
    assert one == two
    assert len(one) == 5


def test_an_unknown_number_is_refused_and_nothing_is_written(inputs: ReportInputs, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no trial has the number 999"):
        write_trial_page(inputs, 999, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_verdicts_read_back_from_json_give_the_same_page(inputs: ReportInputs, tmp_path: Path) -> None:
    number = last_trial(inputs)
    stored = [
        None if each is None else json.loads(json.dumps(each)) for each in inputs.replicates["verdicts"]
    ]
    again = replace(
        inputs,
        replicates=inputs.replicates.assign(
            verdicts=pd.Series(stored, index=inputs.replicates.index, dtype=object)
        ),
    )
    pages = [write_trial_page(each, number, tmp_path).read_bytes() for each in (inputs, again)]
    assert pages[0] == pages[1]


def test_a_trial_of_a_later_look_names_its_blocks_and_scores_on_both_parts(tmp_path: Path) -> None:
    inputs = until_clear(noise={1: 0.08})
    first, later = (words(write_trial_page(inputs, number, tmp_path)) for number in (13, 17))
    assert "look 2 of 2, blocks 11 to 20" in later
    assert "validation and test log-loss" in later
    assert "look 1 of 2, blocks 1 to 10" in first
    assert "validation and test log-loss" not in first


def test_every_confirmed_trial_has_the_page_that_is_made_of_it_alone(
    inputs: ReportInputs, tmp_path: Path
) -> None:
    pages = write_trial_pages(inputs, tmp_path / "all")
    confirm = inputs.trials[inputs.trials["phase"] == "confirm"]
    assert [page.name for page in pages] == [f"trial-{number}.html" for number in confirm["number"]]
    for page, number in zip(pages, confirm["number"], strict=True):
        assert page.read_bytes() == write_trial_page(inputs, int(number), tmp_path / "alone").read_bytes()


def test_a_trial_that_has_not_ended_has_no_page_yet_and_an_interrupted_making_is_made_up_for(
    inputs: ReportInputs, tmp_path: Path
) -> None:
    last = last_trial(inputs)
    running = inputs.trials["state"].where(inputs.trials["number"] != last, "running")
    early = replace(inputs, trials=inputs.trials.assign(state=running))
    assert last not in paged_trials(early.trials)
    earlier = write_trial_pages(early, tmp_path)
    assert not (tmp_path / "trials" / f"trial-{last}.html").exists()
    earlier[0].write_text("of an earlier version")
    earlier[1].unlink()
    pages = write_trial_pages(inputs, tmp_path)
    assert set(earlier) < set(pages)
    assert all(page.read_text().rstrip().endswith("</html>") for page in pages)


def test_a_page_leads_back_to_its_cell_and_on_to_its_neighbours(inputs: ReportInputs, tmp_path: Path) -> None:
    numbers = paged_trials(inputs.trials)
    cells = dict(zip(inputs.trials["number"], inputs.trials["cell"], strict=True))
    for place, page in enumerate(write_trial_pages(inputs, tmp_path)):
        html = page.read_text()
        assert f'href="../report.html#cell-{cells[numbers[place]]}"' in html
        neighbours = [numbers[each] for each in (place - 1, place + 1) if 0 <= each < len(numbers)]
        found = re.findall(r'rel="(?:prev|next)" href="trial-(\d+).html"', html)
        assert [int(each) for each in found] == neighbours


def test_the_page_of_a_search_trial_leads_back_to_the_top_of_the_report(
    inputs: ReportInputs, tmp_path: Path
) -> None:
    html = write_trial_page(inputs, 1, tmp_path).read_text()
    assert 'href="../report.html"' in html
    assert 'rel="next"' not in html


def test_drawings_are_valid_xml_whatever_stands_in_them(inputs: ReportInputs, tmp_path: Path) -> None:
    for number in (1, last_trial(inputs)):
        write_trial_page(inputs, number, tmp_path)
    broken = replace(inputs, gradients=inputs.gradients.assign(delta_rms=np.inf))
    write_trial_page(broken, 2, tmp_path)
    files = sorted((tmp_path / "trials" / "figures").iterdir())
    assert len(files) >= 4
    for file in files:
        ElementTree.parse(file)
        assert "nan" not in file.read_text()


def test_the_objective_says_of_which_networks_it_is(inputs: ReportInputs, tmp_path: Path) -> None:
    note = "of this page’s networks, trained with fresh seeds"
    searched, confirmed = (words(write_trial_page(inputs, n, tmp_path)) for n in (1, last_trial(inputs)))
    assert "objective in the search" in searched
    assert note not in searched
    assert "objective in the confirm phase" in confirmed
    assert note in confirmed
