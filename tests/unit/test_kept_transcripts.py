"""What is taken out of a transcript is gone, leaves every place where it was, and is known again."""

from hypothesis import given
from hypothesis import strategies as st

from domain.parties import Party
from domain.redaction.kept import KNOWN_AGAIN, known_again, masked, shown
from domain.redaction.shapes import CARD_DATA, Redaction, Sensitive
from domain.transcripts import Attribution, Turn, Word


def turn(*texts: str) -> Turn:
    words = tuple(Word(text, 1_000 + 300 * n, 1_250 + 300 * n, 0.9) for n, text in enumerate(texts))
    return Turn(Party.CUSTOMER, "PA_1", 0, words[0].start_ms, words[-1].end_ms, " ".join(texts), words, 0.9, Attribution.CHANNEL, 1.0)


def redaction(kind: Sensitive, first: int, last: int) -> Redaction:
    return Redaction(kind, 0, 0, 0, first, last, None, None, 0.9, "test")


def test_a_masked_turn_has_as_many_words_at_the_same_times_and_none_of_what_was_said() -> None:
    said = turn("code", "one", "two", "three", "thanks")
    kept = masked(said.words, [redaction(Sensitive.SECURITY_CODE, 1, 3)])
    assert [word.text for word in kept] == ["code", "[security_code]", "[security_code]", "[security_code]", "thanks"]
    assert [(word.start_ms, word.end_ms) for word in kept] == [(word.start_ms, word.end_ms) for word in said.words]


def test_a_quote_has_a_placeholder_for_each_piece() -> None:
    words = ["it", "is", "four", "two", "and", "jane"]
    assert shown(words, [redaction(Sensitive.CARD_NUMBER, 2, 3), redaction(Sensitive.CUSTOM, 5, 5)]) == (
        "it", "is", "[card_number]", "", "and", "[custom]",
    )  # fmt: skip
    assert shown(["a", "[card_number]", "[card_number]", "b"], []) == ("a", "[card_number]", "", "b")


def test_two_values_side_by_side_are_known_apart_where_their_kinds_differ() -> None:
    words = ("[card_number]", "[card_number]", "[security_code]")
    found = known_again([turn(*words)])
    assert [(one.kind, one.first_word, one.last_word) for one in found] == [
        (Sensitive.CARD_NUMBER, 0, 1),
        (Sensitive.SECURITY_CODE, 2, 2),
    ]


pieces = st.lists(st.tuples(st.sampled_from(sorted(CARD_DATA)), st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=5)


@given(pieces)
def test_what_was_masked_is_known_again_where_it_was(parts: list[tuple[Sensitive, int, int]]) -> None:
    texts: list[str] = []
    wanted: list[tuple[Sensitive, int, int]] = []
    for kind, length, gap in parts:
        texts += ["word"] * gap
        wanted.append((kind, len(texts), len(texts) + length - 1))
        texts += ["four"] * length
    said = turn(*texts)
    kept = masked(said.words, [redaction(*one) for one in wanted])
    again = known_again([turn(*(word.text for word in kept))])
    assert [(one.kind, one.first_word, one.last_word) for one in again] == wanted
    assert all(one.recogniser == KNOWN_AGAIN and one.start_ms is not None for one in again)
    assert len({one.entity for one in again}) == len(wanted)
