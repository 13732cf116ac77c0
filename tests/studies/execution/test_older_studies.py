"""Studies of every version of plans so far: reported, verified, resumed and grown from, or refused with the reason."""

import json
import re
import shlex
from pathlib import Path

import pytest

from search_spaces.optimizers import LEARNING_RATES
from studies import plan as plan_door
from studies import report, show, status, verify
from studies.base.errors import UsageError
from studies.database.store import Store
from studies.definition import plan_versions
from studies.execution.older_studies import find_older
from studies.planning.command_line import parse_run, request_of
from studies.planning.plan import Plan
from studies.planning.request import Draft, Request, draft
from studies.results.report_inputs import make_report
from studies.storage.paths import Locations
from tests.studies.faults.light import TRACES, run_without_ray, without_ray
from tests.studies.samples.laid_out import SAMPLES, lay_out

Capture = pytest.CaptureFixture[str]
FINISHED, UNFINISHED = ("./cells.py", "--set", "replicates=2"), ("./cells.py", "--seed", "1")
UNFINISHED_LOOP = ("./loop.py", "--seed", "1")
VERSION = {name: int(re.findall(r"plan_(\d+)", name)[0]) for name in SAMPLES}
OLDER = [name for name in SAMPLES if VERSION[name] < plan_versions.TODAY]
OTHER_SEEDS = [name for name in OLDER if not plan_versions.trains_alike(VERSION[name], plan_versions.TODAY)]
"""Samples whose train() got other seeds than it gets today."""
LACK_LOOPS = "plan_1_schema_0001"
"""It is from before there were a user's own train() and tables."""
WITHOUT_ADAMW = {name: range_ for name, range_ in LEARNING_RATES.items() if name != "adamw"}
UNFINISHED_STATES = ("interrupted", "failed")


@pytest.fixture(params=sorted(SAMPLES))
def sample(request: pytest.FixtureRequest) -> str:
    """Return the name of a sample."""
    return str(request.param)


@pytest.fixture
def url(sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Stand in the folder of a sample, where nothing needs Ray; return the URL of the default storage."""
    monkeypatch.chdir(tmp_path)
    for name in ("STUDIES_STORAGE", "STUDIES_OUTPUT", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    traces = tmp_path / "traces"
    traces.mkdir()
    monkeypatch.setenv(TRACES, str(traces))
    if sample == LACK_LOOPS:  # and from before there was AdamW, so that cells.py made another plan
        monkeypatch.setattr("search_spaces.optimizers.LEARNING_RATES", WITHOUT_ADAMW)
    return lay_out(sample, tmp_path)


def names(url: str) -> dict[str, str]:
    """Return the state of each study by its name."""
    with Store.open(url, create=False) as store:
        return {study.name: str(study.state) for study in store.studies()}


def named(url: str, start: str, *states: str) -> str:
    """Return the name of the study that begins so and is in one of these states."""
    (name,) = (name for name, found in names(url).items() if name.startswith(start) and found in states)
    return name


def drafted(*words: str) -> Draft:
    return draft(request_of(parse_run(words)))


def unsound(name: str, capsys: Capture) -> list[str]:
    """Return the checks of a study that fail, but for its weights, which a sample does not hold."""
    capsys.readouterr()
    verify.main([name, "--json"])
    checks = json.loads(capsys.readouterr().out)["checks"]
    return [
        f"{check['name']}: {check['faults']}"
        for check in checks
        if not check["holds"] and check["name"] != "I8"
    ]


def test_every_version_has_a_sample_and_they_are_small() -> None:
    assert {*VERSION.values()} == {*range(plan_versions.FIRST, plan_versions.TODAY + 1)}
    assert max(path.stat().st_size for path in SAMPLES.values()) < 400_000


class TestOfEveryVersion:
    """Whatever recorded them, these commands do what they did."""

    def test_every_study_is_shown_and_sound(self, sample: str, url: str, capsys: Capture) -> None:
        for name in names(url):
            assert [door.main([name]) for door in (show, status)] == [0, 0]
            said = capsys.readouterr().out
            assert unsound(name, capsys) == []
            assert (f"plan version {VERSION[sample]} " in said) == (sample in OLDER)

    def test_every_plan_comes_back_with_its_hash_and_version(self, sample: str, url: str) -> None:
        with Store.open(url, create=False) as store:
            for study in store.studies():
                plan = Plan.from_dict(study.name, study.plan)
                assert (plan.version, plan.to_dict()) == (VERSION[sample], study.plan)
                assert plan.hash == study.plan_hash

    def test_a_finished_one_is_reported_again(self, sample: str, url: str, capsys: Capture) -> None:
        before = names(url)
        assert run_without_ray(*FINISHED) == 0
        said, name = " ".join(capsys.readouterr().out.split()), named(url, "cells", "complete")
        assert names(url) == before
        assert f"{name} is finished; its report was made again." in said
        told = json.loads(Path("runs", name, "report.json").read_text())["older_rules"]
        assert (told is not None) == (sample in OLDER)
        assert told is None or f"Note {told}" in said

    def test_an_unfinished_one_goes_on_by_its_own_rules(self, sample: str, url: str, capsys: Capture) -> None:
        names_before = set(names(url))
        name = named(url, "cells", *UNFINISHED_STATES)
        assert run_without_ray(*UNFINISHED) == 0, capsys.readouterr().err
        assert names(url)[name] == "complete"
        assert unsound(name, capsys) == []
        assert set(names(url)) == names_before
        with Store.open(url, create=False) as store:
            study = store.find_study(name)
            assert study is not None
            notes = json.loads([e.detail for e in store.events(study.id) if e.kind == "run_started"][-1])[
                "notes"
            ]
        assert any("Made by the rules of plan version" in note for note in notes) == (sample in OLDER)

    def test_cells_grow_from_it(self, url: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
        source = named(url, "cells", "complete")
        with Store.open(url, create=False) as store:
            study = store.find_study(source)
            assert study is not None
            versions = dict(store.trials(study.id)[0].versions or {})
        monkeypatch.setattr(
            "studies.run_log.provenance.versions", lambda: versions
        )  # of the time it was recorded
        more = ("./cells.py", "--set", "replicates=2", "--set", "factors.depth=[1,2,3]", "--name", "more")
        assert run_without_ray(*more, "--grow-from", source) == 0
        assert unsound("more", capsys) == []
        with Store.open(url, create=False) as store:
            grown = store.find_study("more")
            assert grown is not None
            assert grown.plan[plan_versions.FIELD] == plan_versions.TODAY
            copied = [
                trial.worker for trial in store.trials(grown.id) if f"from {source}" in str(trial.worker)
            ]
        assert len(copied) == 5  # but the confirm trial of the best cell, whose weights are not here

    @pytest.mark.parametrize("sample", sorted({*SAMPLES} - {LACK_LOOPS}))
    def test_a_loop_grows_from_one_of_the_same_seeds_alone(
        self, sample: str, url: str, capsys: Capture
    ) -> None:
        more = (
            "./loop.py",
            "--set",
            "factors.shrinkage=[0.1,0.9,0.5]",
            "--name",
            "more",
            "--grow-from",
            "loop",
        )
        if sample in OTHER_SEEDS:
            assert run_without_ray(*more) == 2
            said = capsys.readouterr().err
            today = plan_versions.TODAY
            assert f"--grow-from loop: its plan has version {VERSION[sample]} and this one {today}" in said
            assert "more" not in names(url)
        else:
            assert plan_door.main([*more[:-2]]) == 0


@pytest.mark.parametrize("sample", sorted({*OLDER} - {LACK_LOOPS}))
class TestOfAnOlderVersion:
    def test_a_table_that_is_read_otherwise_is_refused(self, sample: str, url: str, capsys: Capture) -> None:
        before = names(url)
        table = Path("flowers.csv")
        table.write_text(table.read_text().replace("red", "pink"))
        assert run_without_ray("./table.py") == 2
        said = capsys.readouterr().err
        versions = f"plan version {VERSION[sample]} and cannot go on under today's, {plan_versions.TODAY}"
        assert f"study table was recorded under {versions}" in said
        assert "its data are read otherwise today, or were changed since" in said
        assert ("columns with decimal commas" in said) == (VERSION[sample] < 2)
        assert ("each claim is read off one interval" in said) == (VERSION[sample] < 3)
        assert f"studies run ./table.py --name table-v{plan_versions.TODAY}" in said
        assert names(url) == before

    def test_a_finished_one_is_reported_whatever_became_of_its_data(self, url: str, capsys: Capture) -> None:
        assert run_without_ray("./table.py") == 0
        capsys.readouterr()
        Path("flowers.csv").write_text("nothing,kind\n")
        assert run_without_ray("./table.py") == 0
        said = " ".join(capsys.readouterr().out.split())
        assert "The report is of what was recorded; today's rules refuse its data" in said
        assert f"To train on them: studies run ./table.py --name table-v{plan_versions.TODAY}" in said
        assert names(url)["table"] == "complete"

    def test_what_today_refuses_names_the_study_that_it_made(
        self, sample: str, url: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = named(url, "cells", *UNFINISHED_STATES)
        monkeypatch.setattr(
            "studies.definition.validation.disagreements", lambda *_: ["depth must be liked by today's rules"]
        )
        assert run_without_ray(*UNFINISHED) == 2
        said = capsys.readouterr().err
        assert "depth must be liked" in said
        assert f"This command recorded study {name} under plan version {VERSION[sample]}" in said
        with without_ray():
            assert [door.main([name]) for door in (report, verify, show, status)] == [0, 0, 0, 0]

    def test_plan_says_by_which_rules_it_would_go_on(self, sample: str, url: str, capsys: Capture) -> None:
        assert plan_door.main([*UNFINISHED, "--json"]) == 0
        summary = json.loads(capsys.readouterr().out)
        assert summary["study"] == named(url, "cells", *UNFINISHED_STATES)
        assert summary["older_rules"].startswith(
            f"Made by the rules of plan version {VERSION[sample]} (today's is {plan_versions.TODAY})"
        )

    def test_todays_study_is_preferred_to_an_older_one(self, url: str) -> None:
        asked = drafted(*UNFINISHED)
        assert find_older(asked, url) is not None
        with Store.open(url, create=False) as store:
            recorded = next(study for study in store.studies() if study.plan["dataset"] == "digits")
            todays = asked.plan(str(recorded.plan["dataset_fingerprint"]))
            store.create_study(
                name=todays.name, question="?", plan=todays.to_dict(), plan_hash=todays.hash, seed=todays.seed
            )
        assert find_older(asked, url) is None

    def test_its_page_opens_with_the_rules(self, sample: str, url: str) -> None:
        locations = Locations(storage=url, output=Path("pages"))
        with Store.open(url, create=False) as store:
            study = store.find_study("table")
            assert study is not None
            page = make_report(store, study, locations).read_text()
        (notice,) = re.findall(r'<p class="notice" role="note">(Made by[^<]*)', page)
        began = f"plan version {VERSION[sample]} (today&#39;s is {plan_versions.TODAY})"
        since = {
            1: ". Since then: a table&#39;s columns",
            2: ". Since then: each claim is read off one interval",
            3: "; nothing that was changed since concerns it",  # it has a single look
        }
        assert f"{began}{since[VERSION[sample]]}" in notice


@pytest.mark.parametrize("sample", sorted({*OTHER_SEEDS} - {LACK_LOOPS}))
def test_an_unfinished_loop_is_refused_with_two_ways_out(sample: str, url: str, capsys: Capture) -> None:
    name, before = named(url, "loop-", *UNFINISHED_STATES), names(url)
    assert run_without_ray(*UNFINISHED_LOOP) == 2
    what, afresh, by = re.split(r"\n(?=Train|Or)", capsys.readouterr().err)
    assert f"error: study {name} was recorded under plan version {VERSION[sample]}" in what
    assert "its train() would get other seeds than it began with" in what
    assert "a file's own train() gets a seed below 2^32" in what
    assert by.startswith("Or go on with it by what recorded it, Studies 0.1.0")
    assert names(url) == before
    command = afresh.partition("other name: ")[2]
    fresh = request_of(parse_run(shlex.split(command)[2:]))
    assert fresh == Request(study="./loop.py", seed=1, name=f"{name}-v{plan_versions.TODAY}")
    assert find_older(draft(fresh), url) is None


def test_a_later_version_is_refused(tmp_path: Path) -> None:
    data = drafted("depth_study").plan("f").to_dict() | {plan_versions.FIELD: plan_versions.TODAY + 1}
    with pytest.raises(
        UsageError, match="study x has a plan of version 5, and this Studies knows versions up to 4"
    ):
        Plan.from_dict("x", data)
