"""Presidio's own recognisers, used one by one: its engine would want a language model, which numbers and addresses do not need.

Each is asked about one value a line, with digits already read. Context is not Presidio's here: it sees no turns and no speakers.
"""

from collections.abc import Sequence
from importlib.metadata import version

import tldextract
from presidio_analyzer import Pattern, PatternRecognizer
from presidio_analyzer.predefined_recognizers import (
    AbaRoutingRecognizer,
    CreditCardRecognizer,
    EmailRecognizer,
    PhoneRecognizer,
    UsSsnRecognizer,
)

from domain.redaction.number_runs import Run
from domain.redaction.shapes import Sensitive

PACKAGES = ("presidio-analyzer", "phonenumbers", "tldextract")
_LONGEST_CARD = 19
_SHORTEST_CARD = 13


class _OfflineEmailRecognizer(EmailRecognizer):
    """Presidio's asks tldextract, which would fetch the list of suffixes and keep it under the home folder."""

    _suffixes = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=(), fallback_to_snapshot=True)

    def validate_result(self, pattern_text: str) -> bool:
        return self._suffixes(pattern_text).fqdn != ""


class Presidio:
    def __init__(self) -> None:
        # besides Presidio's own pattern: Mastercard's 2 series and numbers of up to 19 digits
        longer = Pattern("2 series, and up to 19 digits", r"\b[2-6]\d{12,18}\b", 0.3)
        self._card = CreditCardRecognizer(patterns=[*CreditCardRecognizer.PATTERNS, longer])
        self._ssn = UsSsnRecognizer()
        self._routing = AbaRoutingRecognizer()
        self._phone = PhoneRecognizer(supported_regions=("US",), leniency=0)
        self._email = _OfflineEmailRecognizer()
        self.version = " ".join(f"{name} {version(name)}" for name in PACKAGES)

    def checked(self, runs: Sequence[Run]) -> list[frozenset[Sensitive]]:
        """For each run, which kinds' recognisers take its digits (for a card number: a stretch of whole groups of them) for theirs."""
        card = self._lines(self._card, [_stretches(run) for run in runs])
        nine = [[f"{run.digits[:3]}-{run.digits[3:5]}-{run.digits[5:]}"] if len(run.digits) == 9 else [] for run in runs]
        ssn = self._lines(self._ssn, nine)
        routing = self._lines(self._routing, [[run.digits] if len(run.digits) == 9 else [] for run in runs])
        phone = self._lines(self._phone, [[_as_phone(run.digits)] if 10 <= len(run.digits) <= 11 else [] for run in runs])
        passed = {Sensitive.CARD_NUMBER: card, Sensitive.SSN: ssn, Sensitive.BANK_ACCOUNT: routing, Sensitive.PHONE: phone}
        return [frozenset(kind for kind, numbers in passed.items() if number in numbers) for number in range(len(runs))]

    def addresses(self, written: Sequence[str]) -> list[bool]:
        """Whether each is an e-mail address under a suffix that exists."""
        found = self._lines(self._email, [[text] if text else [] for text in written])
        return [number in found for number in range(len(written))]

    def _lines(self, recogniser: PatternRecognizer | PhoneRecognizer, lines: Sequence[Sequence[str]]) -> set[int]:
        """The places in ``lines`` of which the recogniser takes one text as a whole."""
        whose = [(number, text) for number, texts in enumerate(lines) for text in texts]
        text = "\n".join(text for _, text in whose)
        spans: dict[int, int] = {}
        for result in recogniser.analyze(text, recogniser.supported_entities) if text else ():
            spans[result.start] = max(result.end, spans.get(result.start, 0))
        taken: set[int] = set()
        at = 0
        for number, line in whose:
            if spans.get(at) == at + len(line):
                taken.add(number)
            at += len(line) + 1
        return taken


def _as_phone(digits: str) -> str:
    return f"{digits[:-10]} {digits[-10:-7]}-{digits[-7:-4]}-{digits[-4:]}".strip()


def _stretches(run: Run) -> list[str]:
    groups = ["".join(run.reading.pieces[place].text for place in group) for group in run.groups]
    found: dict[str, None] = {}
    for first in range(len(groups)):
        text = ""
        for group in groups[first:]:
            text += group
            if len(text) > _LONGEST_CARD:
                break
            if len(text) >= _SHORTEST_CARD:
                found[text] = None
    return list(found)
