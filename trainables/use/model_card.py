"""The card of a saved model: what it is, how well it does, and its limits (Mitchell et al. 2019, arXiv:1810.03993)."""

from collections.abc import Mapping, Sequence
from typing import Any

from trainables.use.preprocessing import Preprocessing
from trainables.use.saved_model import ModelConfig

_TAKES = {
    "table": "rows of a table: {columns}",
    "text": "texts in the language of the training data; it reads {terms:,} words and pairs of words",
    "image": "images of {shape} pixels; bytes 0 to 255 of an image file become {low:g} to {high:g}",
    "array": "arrays of {shape} numbers",
}


def model_card(
    config: ModelConfig, preprocessing: Preprocessing, examined: Mapping[str, Any], told: Mapping[str, Any]
) -> str:
    """Return the card as Markdown.

    `told` has `question`, `configuration` (in words), `about` and `licence` of the data, `scores` (rows of name, this
    network's score, the mean over replicates with its interval) and `limits` (sentences).
    """
    return "\n".join(
        [
            f"# The best model of {config.study}",
            "",
            f"Made by the study that asked: *{told['question']}*",
            "",
            f"- **Configuration:** {told['configuration']}",
            f"- **Which network:** {config.chosen}",
            f"- **Data:** {config.dataset}: {told['about']} (licence: {told['licence']})",
            f"- **Takes:** {_takes(preprocessing)}",
            f"- **Says:** one of {len(config.classes)} classes: {', '.join(config.classes)}",
            "",
            "## Use it",
            "",
            "```python",
            "import studies",
            "",
            'model = studies.load_model(".")  # this folder',
            "model.predict(inputs), model.predict_proba(inputs)",
            "```",
            "",
            "Or `studies predict FOLDER --input FILE`. Nothing here is a pickle; `manifest.json` has the SHA-256 of "
            "each file.",
            "",
            "## How well it does",
            "",
            *_scores(told["scores"]),
            "",
            *_by_class(examined),
            "",
            *_confidence(examined),
            "",
            "## Limits",
            "",
            *(f"- {each}" for each in told["limits"]),
            "",
        ]
    )


def _takes(preprocessing: Preprocessing) -> str:
    names = [each.name for each in preprocessing.columns]
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return _TAKES[preprocessing.kind].format(
        columns=", ".join(names[:12]) + more,
        terms=len(preprocessing.terms),
        shape=" x ".join(map(str, preprocessing.shape)),
        low=preprocessing.low,
        high=preprocessing.high,
    )


def _scores(rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        "On the test part, which neither training nor the search has read; intervals are 95 % t intervals over the "
        "replicates, each with a split of its own:",
        "",
        "| score | this network | mean of all replicates |",
        "|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _by_class(examined: Mapping[str, Any]) -> list[str]:
    def shown(value: float | None) -> str:
        return "none" if value is None else f"{value:.3f}"

    return [
        "| class | examples | precision | recall | F1 |",
        "|---|---|---|---|---|",
        *(
            f"| {row['name']} | {row['num']:,} | "
            f"{' | '.join(shown(row[name]) for name in ('precision', 'recall', 'f1'))} |"
            for row in examined["by_class"]
        ),
    ]


def _confidence(examined: Mapping[str, Any]) -> list[str]:
    confidence, calibrated = examined["confidence"], examined["calibrated"]
    least, most = confidence["least"], confidence["most"]
    return [
        f"Its confidence is {confidence['mean']:.3f} on average ({least:.3f} to {most:.3f}); "
        f"{confidence['num_below']:,} of {examined['num_examples']:,} predictions are below {confidence['below']:g}. "
        f"Confidence is off accuracy by {examined['calibration_error']:.3f} on average (expected calibration error), "
        f"and with the stored temperature of {examined['temperature']:.2f} (`calibrated=True`) by "
        f"{calibrated['calibration_error']:.3f}.",
    ]
