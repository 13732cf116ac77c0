"""What the verdict says of the best configuration's networks against a linear model."""

from __future__ import annotations

from reports.claims.line_to_beat import LineToBeat
from reports.claims.plain_words import (
    CLAIMED,
    HERE,
    NO,
    OPEN,
    YES,
    Outcome,
    Row,
    Spoken,
    better,
    changed,
    outcome_of,
)
from reports.inputs.measures import Measure
from reports.wording.phrases import capital
from reports.wording.words import THIN, number


def against_line(line: LineToBeat, contrast: Row, measure: Measure) -> tuple[str, str, Spoken]:
    """The answer's word, the status, and the sentence about the best configuration against the linear model."""
    found, name = outcome_of(contrast, measure), line.name
    which = {Outcome.POINTS_BETTER: "better", Outcome.POINTS_WORSE: "worse"}.get(found, found.value)
    word, status, text = {
        Outcome.BETTER: ("Yes.", YES, f"the network beats {name}"),
        Outcome.WORSE: ("No.", NO, f"the network does worse than {name}"),
        Outcome.EQUAL: ("No.", NO, f"the network does no better than {name}"),
        Outcome.OPEN: ("", OPEN, f"it is not clear whether the network does better than {name}"),
        Outcome.EARLY: ("Too early to say", OPEN, f"whether the network does better than {name}"),
    }.get(
        found, ("Too early to say.", OPEN, f"what there is points to the network doing {which} than {name}")
    )
    if found in CLAIMED and contrast["equivalent"]:
        text, status = f"{text}, but by less than matters here", NO
        word = "No."
    scores, error = line.to_dict(), line.error_contrast
    loss = scores["test_loss"]
    beside = Spoken(
        text=f" ({measure.title} {number(loss + contrast['estimate'])} against {number(loss)}; {better(measure)})",
        numbers=[loss + contrast["estimate"], loss],
    )
    if error is not None and error["estimate"] == error["estimate"]:
        linear = 1 - scores["test_error"]
        network = linear - error["estimate"]
        agrees = found not in CLAIMED or (found is Outcome.BETTER) == (network > linear)
        if agrees:
            beside = Spoken(
                text=f" ({number(100 * network, 1)} against {number(100 * linear, 1)}{THIN}% right)",
                numbers=[network, linear],
            )
    here = "" if contrast.get("beyond_sample") else f"{HERE}, "
    sentence = f"{here}{text}{beside.text}"
    whole = f"{word} {sentence}" if word == "Too early to say" else f"{word} {capital(sentence)}"
    return word, status, Spoken(text=f"{whole}.".strip(), numbers=beside.numbers)


def line_difference(contrast: Row, name: str, measure: Measure, epochs: Spoken) -> Spoken:
    """The difference between the network and the linear model, with its interval."""
    if contrast["estimate"] != contrast["estimate"]:
        return Spoken(text="")
    amount = changed(contrast, measure)
    return Spoken(
        text=f"The {measure.title} ({better(measure)}) of the network, trained for {epochs.text}, less that of "
        f"{name} on the same features is {amount.text}.",
        numbers=[*epochs.numbers, *amount.numbers],
    )
