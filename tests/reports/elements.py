"""What stands on a page, as a reader of its HTML finds it."""

from html.parser import HTMLParser


class Elements(HTMLParser):
    """Every start tag with its attributes, and the text between tags outside style, script and SVG."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._hidden = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._hidden += tag in ("style", "script", "svg")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "script", "svg")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of every element of this kind."""
        return [attrs for name, attrs in self.tags if name == tag]
