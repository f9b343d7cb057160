"""Terms of one's own that are redacted wherever they are said: a line each in a file. Matched on tokens, so case and signs do not matter."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from domain.redaction.spoken_numbers import Place
from domain.search.tokens import Token, tokens
from domain.transcripts import Turn
from resources.policies import WrongPolicy


def read_terms(path: Path) -> tuple[str, ...]:
    """The terms of a file: one a line, without blank lines and what follows #. Raises WrongPolicy."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise WrongPolicy(f"{path.name} of VERBATIM_REDACT_TERMS_FILE cannot be read: {type(error).__name__}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise WrongPolicy(f"{path.name} of VERBATIM_REDACT_TERMS_FILE, line {line}: it is no UTF-8; save it as UTF-8") from None
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(dict.fromkeys(filter(None, lines)))


class Terms:
    """``digest`` changes with what is matched and with nothing else."""

    def __init__(self, terms: Iterable[str]) -> None:
        known = {tuple(_bare(term, token) for token in tokens(term)) for term in terms} - {()}
        self._by_first: dict[str, list[tuple[str, ...]]] = {}
        for term in sorted(known, key=lambda term: (-len(term), term)):
            self._by_first.setdefault(term[0], []).append(term)
        self.digest = hashlib.sha256("\n".join(" ".join(term) for term in sorted(known)).encode()).hexdigest()[:12] if known else "none"

    def places(self, turns: Sequence[Turn]) -> Iterator[Place]:
        """Where the terms are said, the longest first where several begin; a term does not go over the end of a turn."""
        if not self._by_first:
            return
        for position, turn in enumerate(turns):
            said = [(_bare(word.text, token), number) for number, word in enumerate(turn.words) for token in tokens(word.text)]
            at = 0
            while at < len(said):
                length = next((len(term) for term in self._by_first.get(said[at][0], ()) if _stands(said, at, term)), 0)
                if length:
                    yield Place(position, said[at][1], said[at + length - 1][1])
                at += length or 1


def _bare(word: str, token: Token) -> str:
    """The token, without the s of a possessive: "Bluebird's" is the term "Bluebird"."""
    written = word[token.start : token.end].lower()
    return token.text[:-1] if re.search("['’ʼ]s$", written) else token.text


def _stands(said: Sequence[tuple[str, int]], at: int, term: Sequence[str]) -> bool:
    return at + len(term) <= len(said) and all(said[at + n][0] == token for n, token in enumerate(term))
