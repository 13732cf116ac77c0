"""What a comparison of later rows with a model's reference is told as: the answer first, each sentence from its record.

The record is a plain mapping with the names of `trainables.use.monitoring.drift_record.DriftRecord`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.wording.phrases import capital, listed
from reports.wording.words import count, number, p_value, percent, plural, small

Record = Mapping[str, Any]

_NOUNS = {
    "table": ("column", "columns"),
    "array": ("column", "columns"),
    "image": ("measure of the images", "measures of the images"),
    "text": ("measure of the texts", "measures of the texts"),
}
QUESTIONS = {
    "inputs": "Has a feature changed?",
    "classifier": "Can a classifier tell the rows from the reference?",
    "predictions": "Have predictions or confidence changed?",
    "accuracy": "Has accuracy changed?",
}
MOST_NAMED = 3


def answer(record: Record, kind: str) -> str:
    """The answer in one sentence: what has drifted, or that nothing was found and what could be missed."""
    if not record["is_drift"]:
        return f"No drift found at {plural(record['num_compared'], 'row')}; {could_be_missed(record)}."
    return f"Drift: {listed(_changes(record, kind))}."


def could_be_missed(record: Record) -> str:
    """Up to which size a change is found less than four times in five, as a clause."""
    least = record["least_found"]
    told = f"a shift of one number by less than {number(least['deviations'], 2)} standard deviations"
    if least["accuracy"] is not None:
        told += f", or of accuracy by less than {_points(least['accuracy'])},"
    return f"{told} could be missed"


def _changes(record: Record, kind: str) -> list[str]:
    """What has drifted, one clause for each question that says so."""
    is_drift = {question["name"]: question["is_drift"] for question in record["questions"]}
    told = []
    if is_drift["inputs"]:
        num = len(drifted(record))
        total, nouns = len(record["features"]), _NOUNS.get(kind, _NOUNS["table"])
        have = "has" if num == 1 else "have"
        told.append(f"{count(num)} of {count(total)} {nouns[0] if total == 1 else nouns[1]} {have} changed")
    elif is_drift["classifier"]:
        told.append(f"rows can be told from the reference’s (AUC {number(record['classifier']['auc'], 2)})")
    if record["confidence"]["is_drift"]:
        told.append(_confidence_change(record))
    if record["predictions"]["is_drift"]:
        told.append("the predicted classes have changed")
    accuracy = record["accuracy"]
    if accuracy is not None and accuracy["is_drift"]:
        before, after = _shares(accuracy)
        verb = "fell" if after < before else "rose"
        told.append(f"accuracy {verb} from {percent(before)} to {percent(after)}")
    return told


def _confidence_change(record: Record) -> str:
    before, after = (record["confidence"][name]["mean"] for name in ("before", "after"))
    if round(before, 2) == round(after, 2):
        return "confidence is spread otherwise"
    verb = "fell" if after < before else "rose"
    return f"mean confidence {verb} from {number(before, 2)} to {number(after, 2)}"


def drifted(record: Record) -> list[Mapping[str, Any]]:
    """The features that have drifted, in the order in which they are told."""
    return sorted((each for each in record["features"] if each["is_drift"]), key=order)


def order(feature: Mapping[str, Any]) -> tuple[bool, bool, float]:
    """A feature's place: drifted ones first, what is measured of a part of an image last, then the larger effect."""
    return not feature["is_drift"], feature["name"].startswith("part "), -abs(feature["effect"])


def facts(record: Record, kind: str) -> list[str]:
    """What the answer rests on, one sentence each."""
    told = []
    named = drifted(record)
    if named:
        more = len(named) - MOST_NAMED
        ends = [f"{count(more)} more"] if more > 0 else []
        told.append(f"Changed most: {listed([*map(_feature, named[:MOST_NAMED]), *ends])}.")
    else:
        nouns = _NOUNS.get(kind, _NOUNS["table"])
        told.append(
            f"None of {count(len(record['features']))} {nouns[1]} has changed beyond chance and threshold."
        )
    told.append(_classifier(record))
    told.append(_confidence(record))
    told.append(_predicted(record))
    if record["accuracy"] is not None:
        told.append(_accuracy(record))
    if record["vocabulary"] is not None:
        told.append(_vocabulary(record))
    return told


def _feature(feature: Mapping[str, Any]) -> str:
    if feature["missing_p_adjusted"] < feature["p_adjusted"]:
        old, new = feature["missing_before"], feature["missing_after"]
        return f"{feature['name']} (missing: {percent(old)} before, {percent(new)} now)"
    before, after = feature["middle_before"], feature["middle_after"]
    if feature["changed"]:
        name, old, new = feature["changed"][0]
        return f"{feature['name']} ({name}: {percent(old)} before, {percent(new)} now)"
    if before == after:
        return f"{feature['name']} (D {number(feature['effect'], 2)})"
    return f"{feature['name']} (median {small(before, 3)} before, {small(after, 3)} now)"


def _classifier(record: Record) -> str:
    found = record["classifier"]
    if found["auc"] is None:
        return "Too few rows to train a classifier that tells them from the reference’s."
    is_least = found["p"] <= 1.001 / (1 + found["num_permutations"])
    return (
        f"A classifier tells the rows from the reference’s with an AUC of {number(found['auc'], 2)} "
        f"(0.5 is chance; {_p(found['p'])}{' or less' if is_least else ''})."
    )


def _confidence(record: Record) -> str:
    before, after = record["confidence"]["before"], record["confidence"]["after"]
    low = f"{record['thresholds']['low_confidence']:g}"
    return (
        f"Mean confidence is {number(after['mean'], 3)} beside {number(before['mean'], 3)} in the reference; "
        f"{count(after['num_low'])} of {plural(record['num_compared'], 'prediction')} "
        f"({percent(after['share_low'])}) are below {low}, beside {percent(before['share_low'])}."
    )


def _predicted(record: Record) -> str:
    found = record["predictions"]
    totals = sum(found["before"]), sum(found["after"])
    pairs = [
        (name, old / totals[0], new / totals[1])
        for name, old, new in zip(found["classes"], found["before"], found["after"], strict=True)
    ]
    name, old, new = max(pairs, key=lambda pair: abs(pair[2] - pair[1]))
    return (
        f"Of the predicted classes, {name} differs most: {percent(old)} before, {percent(new)} now "
        f"({_p(found['p'])} for all classes)."
    )


def _accuracy(record: Record) -> str:
    found = record["accuracy"]
    before, after = _shares(found)
    return (
        f"{count(found['right_after'])} of {count(found['num_after'])} predictions are right ({percent(after)}), "
        f"beside {count(found['right_before'])} of {count(found['num_before'])} ({percent(before)}) in the "
        f"reference ({_p(found['p'])})."
    )


def _vocabulary(record: Record) -> str:
    found = record["vocabulary"]
    return (
        f"The texts have {count(found['seen_after'])} of the vocabulary’s {count(found['num_terms'])} terms, the "
        f"reference’s {count(found['seen_before'])}; by how many texts have each, they overlap by "
        f"{percent(found['overlap'], 0)}."
    )


def _shares(accuracy: Mapping[str, Any]) -> tuple[float, float]:
    return (
        accuracy["right_before"] / accuracy["num_before"],
        accuracy["right_after"] / accuracy["num_after"],
    )


def _points(share: float) -> str:
    return f"{number(100 * share, 1)} points"


def _p(value: float) -> str:
    text = p_value(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def lines(record: Record, kind: str) -> Sequence[str]:
    """The answer and its facts for a terminal."""
    return [answer(record, kind), *(f"- {capital(fact)}" for fact in facts(record, kind))]
