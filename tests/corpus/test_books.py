"""A speaker's own phrase book finds just what the book of everybody finds, without what only others may not say."""

from collections.abc import Iterable

from domain.parties import Party
from domain.rules.phrases import Phrase
from domain.rules.rules import SAID, consent_kind, saying_kind
from domain.rules.tokens import utterances
from resources.policies.rules import compliance_rules
from tests.corpus.damage import damaged
from tests.corpus.reading import dialogues


def places(phrases: Iterable[Phrase]) -> set[tuple[str, int, int]]:
    return {(one.kind, one.start, one.end) for one in phrases}


def test_a_speakers_own_book_finds_what_the_whole_one_finds() -> None:
    rules = compliance_rules()
    everybody = rules.book(Party.UNKNOWN)
    said_by = {
        role: {saying_kind(rule.id, n) for rule in rules.rules for n, one in enumerate(rule.says) if role in one.who} for role in Party
    }
    left_out: dict[Party, set[str]] = {role: set() for role in Party}
    candidates = 0
    for dialogue in dialogues("dev")[::4]:
        for said in utterances(damaged(dialogue, 0.1).call.turns):
            own, theirs = rules.book(said.role), said_by[said.role]
            whole = places(everybody.find(said))
            assert {one for one in whole if one[0] in theirs or not one[0].startswith((SAID, "cue/", "doubt/"))} == {
                one for one in places(own.find(said)) if not one[0].startswith(("cue/", "doubt/"))
            }
            left_out[said.role] |= {kind for kind, _, _ in whole if kind.startswith(SAID)} - theirs
            loosely = places(own.find_loosely(said))
            assert loosely == {one for one in places(everybody.find_loosely(said)) if one[0] in theirs or one[0] == consent_kind("refuse")}
            candidates += len(loosely)
    assert saying_kind("complaint", 0) in left_out[Party.AGENT]
    assert left_out[Party.CUSTOMER] and candidates > 10
