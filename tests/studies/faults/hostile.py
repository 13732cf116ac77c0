"""Names and texts as somebody would write them who wants a reader's browser, terminal, spreadsheet or database."""

MARK = "x-owned"
"""The element that would be on a page on which a text became markup."""
MARKUP = (
    f"<{MARK}></{MARK}><script>window.owned = 1</script><img src=x onerror='window.owned = 1'>"
    f'"\'></style></title></svg>]]>--><a href="javascript:window.owned=1" {MARK}>{{{{ 7 * 7 }}}}'
)
SQL = "'; DROP TABLE study; --"
PATH = "../../x"
FORMULA = "=1+1"
MATHEMATICS = r"$\frac{1$"
"""What matplotlib would take for a formula, and a wrong one."""
TERMINAL = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b31m\rover\b\u202e"
"""Sequences that name a window, clear a screen, colour it, move the cursor, and turn the writing round."""
CONTROLS = ("\x1b", "\x9b", "\x07", "\x08", "\r", "\u202e")
"""What of it must never reach a terminal."""
EVERYTHING = " ".join((MARKUP, SQL, PATH, FORMULA, MATHEMATICS, TERMINAL))
