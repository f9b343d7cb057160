"""Placeholders stand where values were said; everything else stays as it was. And no word is hidden twice."""

from hypothesis import given
from hypothesis import strategies as st

from domain.redaction.covering import GRAVITY, Piece, cover
from domain.redaction.placeholders import redacted
from domain.redaction.shapes import CARD_DATA, Redaction, Sensitive
from tests.unit.redaction_turns import turns


@st.composite
def found(draw: st.DrawFn) -> list[Piece]:
    pieces = []
    for number in range(draw(st.integers(0, 10))):
        first, last = sorted((draw(st.integers(0, 9)), draw(st.integers(0, 9))))
        kind = draw(st.sampled_from(list(Sensitive)))
        pieces.append(Piece(kind, ("n", number), draw(st.integers(0, 2)), first, last, draw(st.sampled_from([0.5, 0.9])), "test"))
    return pieces


@given(found())
def test_every_word_is_covered_once_and_by_the_gravest(pieces: list[Piece]) -> None:
    covered = cover(pieces)

    words = [(one.position, word) for one in covered for word in range(one.first_word, one.last_word + 1)]
    assert sorted(words) == sorted({(one.position, word) for one in pieces for word in range(one.first_word, one.last_word + 1)})
    for one in covered:
        for word in range(one.first_word, one.last_word + 1):
            over = [piece.kind for piece in pieces if piece.position == one.position and piece.first_word <= word <= piece.last_word]
            assert one.kind is min(over, key=GRAVITY.index)
    assert list(dict.fromkeys(one.entity for one in covered)) == list(range(len({one.entity for one in covered})))


def test_card_data_comes_before_everything_else() -> None:
    assert set(GRAVITY[:2]) == CARD_DATA and set(GRAVITY) == set(Sensitive)


@given(found())
def test_words_that_are_not_hidden_stay_in_their_order_and_at_their_times(pieces: list[Piece]) -> None:
    call = turns(*(f"customer: {' '.join(f'word{turn}{n}' for n in range(10))}" for turn in range(3)))
    redactions = [
        Redaction(one.kind, one.entity, one.position, 0, one.first_word, one.last_word, None, None, one.confidence, "test")
        for one in cover(pieces)
    ]
    shown = redacted(call, redactions)

    for position, (before, after) in enumerate(zip(call, shown, strict=True)):
        mine = [one for one in redactions if one.position == position]
        hidden = {word for one in mine for word in range(one.first_word, one.last_word + 1)}
        assert [word for word in after.words if not word.text.startswith("[")] == [
            word for n, word in enumerate(before.words) if n not in hidden
        ]
        assert [word.text for word in after.words if word.text.startswith("[")] == [f"[{one.kind.value}]" for one in mine]
        assert [word.start_ms for word in after.words] == sorted(word.start_ms for word in after.words)
        assert (after.start_ms, after.end_ms) == (before.start_ms, before.end_ms)
        assert after.text == " ".join(word.text for word in after.words)
        for one in mine:
            place = next(word for word in after.words if word.start_ms == before.words[one.first_word].start_ms)
            assert place.end_ms == before.words[one.last_word].end_ms
