"""A labelled row of HTML for the output of a notebook's cell, which has no style sheet of ours."""

import html


def html_row(label: str, content: str) -> str:
    """Return a row with a label, which is escaped, and a content, which is HTML; it suits light and dark themes."""
    return (
        '<div style="display:flex;gap:.75em"><span style="flex:0 0 5.5em;opacity:.65">'
        f'{html.escape(label)}</span><span style="flex:1;min-width:0;overflow-wrap:anywhere">{content}</span></div>'
    )
