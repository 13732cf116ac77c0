"""Messages about mistakes in a definition: the field, its rule, the value, and what was probably meant."""

import difflib
import json
from collections.abc import Iterable


def mistake(field: str, rule: str, value: object, choices: Iterable[object] = ()) -> str:
    """Return the sentence for a value that breaks its field's rule.

    >>> mistake("search.sampler", "one of qmc, tpe, random", "tpee", ("qmc", "tpe", "random"))
    'search.sampler must be one of qmc, tpe, random; got "tpee" (did you mean tpe?)'
    """
    return f"{field} must be {rule}; got {show(value)}{did_you_mean(value, choices)}"


def unknown(field: str, kind: str, choices: Iterable[str]) -> str:
    """Return the sentence for a name that does not exist.

    >>> unknown("fixed.widht", "hyperparameter", ("depth", "width"))
    'fixed.widht: no such hyperparameter (did you mean width?); choices: depth, width'
    """
    choices = tuple(choices)
    name = field if field.strip() == field and field else show(field)
    guess = did_you_mean(field.rsplit(".", 1)[-1], choices)
    return f"{name}: no such {kind}{guess}; choices: {', '.join(choices)}"


def did_you_mean(value: object, choices: Iterable[object]) -> str:
    """Return ` (did you mean X?)` for the choice that `value` resembles, else nothing.

    A dotted choice is compared by its last part too: `rungs` resembles `search.rungs`.
    """
    if not isinstance(value, str):
        return ""
    names = {str(choice): str(choice) for choice in choices}
    last_parts = {choice.rsplit(".", 1)[-1]: choice for choice in reversed(list(names))}
    close = difflib.get_close_matches(value.lower()[:100], [*names, *last_parts], n=1)
    return f" (did you mean {(names | last_parts)[close[0]]}?)" if close else ""


def show(value: object) -> str:
    """Return a value as a reader would write it for `--set`, cut to 80 characters; works for any object.

    >>> show((0.1, None)), show("ten"), show({3})
    ('[0.1, null]', '"ten"', '{3}')
    """
    try:
        text = json.dumps(value, default=repr)
        text = text if _is_plain(value) else repr(value)
    except Exception:  # the object's own repr may raise anything, and the mistake must still be reported
        text = f"a {type(value).__name__}"
    return text if len(text) <= 80 else text[:77] + "..."


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, bool | int | float | str | list | tuple | dict)
