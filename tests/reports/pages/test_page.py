"""The page: self-contained under a strict policy, readable in both modes, reproducible, and whole for odd studies."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reports.inputs.inputs import ReportInputs
from reports.pages.page import write_report
from reports.results.accounting import AccountingError
from tests.reports.elements import Elements
from tests.reports.forbidden_words import forbidden_words, unlisted_numbers
from tests.reports.reported import without_pixels
from tests.reports.sample import sample_inputs, sample_tuning


@pytest.fixture
def only_drawn() -> Iterator[None]:
    """Make no pixels of drawings, where they say nothing and take a third of the time."""
    with without_pixels():
        yield


@pytest.fixture(scope="module")
def inputs() -> ReportInputs:
    return sample_inputs({"depth": (3, 7), "dropout": (0.1, 0.5), "optimizer": ("sgd", "adam")}, rates=3)


@pytest.fixture(scope="module")
def folder(inputs: ReportInputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(inputs, tmp_path_factory.mktemp("report")).parent


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def test_nothing_is_fetched_and_only_the_hashed_style_and_script_may_run(html: str) -> None:
    page = Elements(html)
    policy = next(str(meta["content"]) for meta in page.all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    for _, attrs in page.tags:
        assert "src" not in attrs
        assert not any(name == "style" or name.startswith("on") for name in attrs)
    assert "http://" not in html
    assert "https://" not in html


def test_ids_are_unique_and_every_reference_within_the_page_resolves(html: str) -> None:
    ids = [str(attrs["id"]) for _, attrs in Elements(html).tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    referred = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', html)
    assert {first or second for first, second in referred} <= set(ids)


def test_every_figure_has_a_name_for_those_who_cannot_see_it(html: str) -> None:
    drawings = [attrs for attrs in Elements(html).all("svg") if attrs.get("role") == "img"]
    assert len(drawings) == html.count("<figure")
    assert all(len(str(attrs["aria-label"])) > 40 for attrs in drawings)


def test_drawings_use_variables_of_both_modes_and_no_colour_of_their_own(html: str) -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    drawn = style[style.rindex("}.k0{") :] if "}.k0{" in style else style[style.index(".k0{") :]
    assert re.findall(r"#[0-9a-f]{6}", drawn) == []
    dark = re.search(r"prefers-color-scheme:dark\)\{:root\{(.*?)\}", style, re.DOTALL)
    assert dark is not None
    assert set(re.findall(r"var\((--[\w-]+)\)", drawn)) <= set(re.findall(r"(--[\w-]+):", dark[1]))


def test_text_in_drawings_is_at_least_nine_points(html: str) -> None:
    sizes = [float(size) for size in re.findall(r"font-size:([\d.]+)px", html)]
    assert sizes
    assert min(sizes) >= 9
    for attrs in Elements(html).all("svg"):
        _, _, width, _ = map(float, str(attrs["viewbox"]).split())
        assert float(str(attrs["width"])) == pytest.approx(width * 96 / 72, abs=1)


def test_the_words_pass_the_lint_and_their_numbers_stand_in_the_json(folder: Path, html: str) -> None:
    report = json.loads((folder / "report.json").read_text())
    said = [*(each["sentence"] for each in report["answer"]), report["found"]]
    said += [*report["analysis"], *report["notes"], *report["lottery"]["sentences"]]
    assert len(said) >= 7
    text = "".join(Elements(html).text).replace("\u00a0", " ")
    for sentence in said:
        assert sentence in text
        assert unlisted_numbers(sentence, report) == []
    gates = {row["gate"] for row in report["contrasts"]}
    # Names of fields and files are no words of ours.
    text = " ".join(Elements(html).text).replace("confirm.best", "").replace("models/best", "")
    assert forbidden_words(text, gates) == []


def test_report_json_has_the_keys_that_readers_rely_on(folder: Path) -> None:
    report = json.loads((folder / "report.json").read_text())
    promised = (
        *(
            "study",
            "question",
            "plan_hash",
            "state",
            "accounting",
            "at_best",
            "contrasts",
            "interactions",
            "lottery",
        ),
        *("stability", "best", "analysis", "provenance", "seconds"),
    )
    assert set(promised) <= set(report)
    row = {
        "outcome",
        "factor",
        "level_a",
        "level_b",
        "estimate",
        "ci_low",
        "ci_high",
        "simultaneous_low",
        "simultaneous_high",
        "smallest_effect",
        "look",
        "p_sign_flip",
    }
    assert {*row, "num_blocks", "gate", "sentence"} <= set(report["contrasts"][0])
    assert {*row, "num_blocks", "gate", "sentence"} <= set(report["at_best"][0])
    counts = {
        "planned",
        "started",
        "complete",
        "pruned",
        "failed",
        "diverged",
        "networks",
        "epochs",
        "by_level",
    }
    assert counts <= set(report["accounting"])
    assert {"params", "val_loss", "val_accuracy", "test_loss", "test_accuracy"} <= set(report["best"])


def test_every_figure_has_its_files(folder: Path, html: str) -> None:
    linked = set(re.findall(r'href="((?:figures|frames)/[^"]+\.\w+)"', html))
    assert linked
    assert all((folder / name).stat().st_size > 0 for name in linked)
    assert {path.suffix for path in (folder / "figures").iterdir()} == {".svg", ".png"}
    frames = {"trials", "replicates", "epochs", "gradients", "events"}
    assert {f"{name}.csv" for name in frames} <= {path.name for path in (folder / "frames").iterdir()}


def test_the_same_inputs_give_the_same_bytes(inputs: ReportInputs, folder: Path, tmp_path: Path) -> None:
    write_report(inputs, tmp_path)
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert [name for name in files if (folder / name).read_bytes() != (tmp_path / name).read_bytes()] == []


@pytest.mark.usefixtures("only_drawn")
def test_another_day_changes_the_date_alone(inputs: ReportInputs, html: str, tmp_path: Path) -> None:
    later = replace(inputs, generated_at=inputs.generated_at + timedelta(days=3))
    other = write_report(later, tmp_path).read_text(encoding="utf-8")
    pairs = zip(html.splitlines(), other.splitlines(), strict=True)
    dated = ("<time", 'data-file="report.json"')
    assert [one for one, two in pairs if one != two and not any(each in one for each in dated)] == []


@pytest.mark.usefixtures("only_drawn")
def test_what_a_user_wrote_is_escaped(inputs: ReportInputs, tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>"
    trials = inputs.trials.assign(error="=cmd|' /C calc'!A0")
    html = write_report(replace(inputs, question=evil, trials=trials), tmp_path).read_text()
    assert evil not in html
    assert "&lt;img src=x" in html
    assert "'=cmd|" in (tmp_path / "frames" / "trials.csv").read_text()


@pytest.mark.usefixtures("only_drawn")
def test_a_study_without_cells_speaks_of_the_best_found_and_its_budget(tmp_path: Path) -> None:
    html = write_report(sample_tuning(), tmp_path).read_text()
    report = json.loads((tmp_path / "report.json").read_text())
    assert "Best found" in html
    assert "the stated default has" in report["found"]
    assert "50 search trials" in html
    assert report["contrasts"] == report["at_best"] == []
    assert not report["best"]["is_default"]
    assert sum(each["is_default"] for each in report["confirmed"]) == 1


def test_a_record_that_does_not_add_up_is_refused_and_nothing_is_written(
    inputs: ReportInputs, tmp_path: Path
) -> None:
    broken = replace(inputs, trials=inputs.trials.assign(state="complete"))
    with pytest.raises(AccountingError, match="contradict"):
        write_report(broken, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.usefixtures("only_drawn")
def test_54_cells_of_20_replicates_stay_small(tmp_path: Path) -> None:
    page = write_report(sample_inputs(num_blocks=20), tmp_path)
    assert page.stat().st_size < 1_000_000


@pytest.mark.usefixtures("only_drawn")
def test_a_convolutional_network_is_not_said_to_have_hidden_layers(
    tmp_path: Path,
) -> None:
    study = sample_inputs({"depth": (2, 3)}, num_blocks=3, rates=2)
    write_report(replace(study, plan={**study.plan, "model": "cnn"}), tmp_path)
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    said = json.dumps([report["answer"], report["contrasts"], report["analysis"], report["notes"]])
    assert "convolution blocks" in said
    assert "hidden layers" not in said
