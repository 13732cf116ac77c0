"""A request and the command that asks for the same: what is printed can be pasted."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import FloatDistribution

from studies.base.errors import UsageError
from studies.base.states import Until
from studies.planning.command_line import parse_run, request_of, run_parser
from studies.planning.request import Request, draft
from studies.planning.resources import Resources
from trainables import datasets


def pasted(command: str) -> Request:
    """Return what the door makes of a printed command."""
    words = shlex.split(command)
    assert words[:2] == ["studies", "run"]
    return request_of(run_parser().parse_args(words[2:]))


texts = st.dictionaries(
    st.sampled_from(["question", "dataset", "target"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"])),
)
others = st.dictionaries(
    st.sampled_from(["factors.depth", "replicates", "fixed.width"]),
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_categories=["Cs", "Cc"])),
        st.lists(st.integers()),
    ),
)


@given(
    settings=st.builds(lambda one, two: one | two, others, texts), seed=st.none() | st.integers(0, 2**63 - 1)
)
def test_a_printed_command_asks_for_the_same(settings: dict[str, object], seed: int | None) -> None:
    request = Request(study="./my study.py", profile="smoke", settings=settings, seed=seed, name="x.1")
    assert pasted(request.command("run")) == request


@pytest.mark.parametrize("text", ["5", "null", "[1]", " padded ", '"quoted"', "it's $HOME", "a=b", ""])
def test_text_that_looks_like_something_else_stays_text(text: str) -> None:
    request = Request(study="depth_study", settings={"question": text})
    assert pasted(request.command("run")).settings == {"question": text}


def test_a_distribution_given_from_python_is_printed_in_its_plain_form() -> None:
    rate = FloatDistribution(1e-4, 1e-1, log=True)
    request = Request(study="depth_study", settings={"nuisances.learning_rate": rate})
    again = pasted(request.command("run"))
    assert draft(again).study == draft(request).study


def test_resources_are_repeated_where_they_are_not_the_default() -> None:
    assert Resources().arguments() == []
    asked = Resources(workers=2, cpus_per_trial=0.5, gpus_per_trial=0.25, address="auto", dashboard=False)
    assert shlex.join(asked.arguments()) == (
        "--address auto --workers 2 --cpus-per-trial 0.5 --gpus-per-trial 0.25 --no-dashboard"
    )


def test_the_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert Resources.asked_for(address=None).address == "10.0.0.1:6379"
    assert Resources.asked_for(address="auto").address == "auto"
    assert Resources.asked_for(address="local").address is None
    monkeypatch.delenv("RAY_ADDRESS")
    assert Resources.asked_for(address=None).address is None


def test_all_mistakes_in_resources_are_told_together() -> None:
    with pytest.raises(UsageError) as told:
        Resources(workers=0, cpus_per_trial=0, gpus_per_trial=-1)
    assert len(told.value.mistakes) == 3


def test_a_name_follows_from_the_variant_unless_it_is_given() -> None:
    digits = datasets.load("digits")

    def name(**changes: object) -> str:
        return draft(Request(study="depth_study", **changes)).freeze(digits).name  # type: ignore[arg-type]

    assert name() == "depth_study"
    assert name(profile="smoke") == "depth_study-smoke"
    assert name(seed=0).startswith("depth_study-")
    assert name(seed=0) != name(seed=1) != name(settings={"replicates": 11})
    assert name(name="mine", seed=1) == "mine"


def asked(*words: str) -> Request:
    return request_of(parse_run(["depth_study", *words]))


def test_looks_and_how_far_a_run_goes_are_options() -> None:
    assert asked("--looks", "10,20").settings == {"looks": [10, 20]}
    assert asked().until == Until.CLEAR
    stopping = asked("--until", "look", "--looks", "10")
    assert stopping.until == Until.LOOK
    assert request_of(parse_run(stopping.arguments())) == stopping


def test_whether_a_page_tells_how_a_run_goes_is_an_option_and_no_part_of_the_plan() -> None:
    assert asked().live
    without = asked("--no-live")
    assert not without.live
    assert request_of(parse_run(without.arguments())) == without
    assert draft(without).plan("digits").hash == draft(asked()).plan("digits").hash


def test_until_is_no_part_of_the_plan_and_looks_are() -> None:
    plain, stopping, single = (
        draft(request).plan("digits")
        for request in (asked(), asked("--until", "look"), asked("--looks", "10"))
    )
    assert (stopping.name, stopping.hash) == (plain.name, plain.hash) == ("depth_study", plain.hash)
    assert single.name == f"depth_study-{single.hash[:4]}"
    assert single.hash != plain.hash


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--looks", "10;20"), "--looks must be numbers of blocks"),
        (("--looks", "10,20", "--set", "looks=[10]"), "--looks and --set looks=... were given both"),
    ],
)
def test_looks_that_cannot_be_read_are_refused(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        asked(*words)


def test_from_python_an_unknown_until_is_refused() -> None:
    with pytest.raises(UsageError, match="until must be one of clear, look"):
        draft(Request(study="depth_study", until="lok"))
