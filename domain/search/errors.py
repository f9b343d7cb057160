"""How a query that cannot be understood is explained to whoever typed it."""


class QuerySyntaxError(ValueError):
    """``position`` and ``length`` count characters of the query, from 0. ``str()`` shows the place."""

    def __init__(self, message: str, query: str, position: int, length: int = 1) -> None:
        self.message = message
        self.query = query
        self.position = min(max(position, 0), len(query))
        self.length = max(1, min(length, len(query) - self.position))
        super().__init__(f"{message}\n  {self.shown}\n  {self.caret}")

    @property
    def shown(self) -> str:
        """The query on one line, each character in its place."""
        return "".join(c if c.isprintable() else " " for c in self.query)

    @property
    def caret(self) -> str:
        return " " * self.position + "^" * self.length
