"""Spoken numbers become digits, and every digit knows the words that said it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.redaction.number_words import DIGITS, HOMOPHONES, TEENS, TENS
from domain.redaction.spoken_numbers import Place, Said, read
from tests.unit.redaction_turns import turns

SAID_AS = {value: word for word, value in DIGITS.items() if word not in ("nought", "naught", "niner")}
PAIRS = {value: word for word, value in {**TEENS, **TENS}.items() if word != "fourty"}
VOCABULARY = (
    *("one", "two", "three", "four", "five", "oh", "zero", "double", "triple", "ten", "fifteen", "twenty", "forty", "ninety", "hundred"),
    *("thousand", "and", "to", "for", "won", "ate", "third", "march", "may", "the", "of", "dot", "at", "gmail", "com", "card", "code"),
    *("4111", "4111-1111", "$4,500.00", "3rd", "j", "—", "mm-hm,", "forty-one.", "a.m.", "o'clock?", "x@y.com", "03/27", "…"),
)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("double four oh seven, forty one eleven", "4407 4111"),
        ("fifty five oh two", "5502"),
        ("nine oh seven", "907"),
        ("one twenty three", "123"),
        ("triple seven three sevens two ohs", "77777700"),
        ("treble five quadruple one", "5551111"),
        ("won two tree oh owe", "12300"),
        ("one one two to for one won", "1122411"),
        ("one eight hundred five five five oh one four seven", "18005550147"),
        ("2 0 2, 555-0147.", "202 5550147"),
        ("(415) 555-0132", "4155550132"),
        ("forty-one eleven o two", "411102"),
        ("march third nineteen eighty five", "3 3 1985"),
        ("the third of march eighty-five", "the 3 of 3 85"),
        ("oh three oh three eighty five", "030385"),
        ("september twenty twenty-seven", "9 2027"),
        ("the last four nine one four three", "the last 4 9143"),
    ],
)
def test_how_numbers_are_read(said: str, text: str) -> None:
    assert read(turns(f"customer: {said}")).text == text


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("two hundred and fifty", "250"),
        ("twelve hundred", "1200"),
        ("two thousand and three", "2003"),
        ("five hundred twenty thousand", "520000"),
        ("a hundred", "100"),
        ("one million two hundred thousand", "1200000"),
        ("4,500", "4500"),
    ],
)
def test_amounts_are_no_strings_of_digits(said: str, value: str) -> None:
    (piece,) = read(turns(f"customer: {said}")).pieces
    assert (piece.said, piece.text) == (Said.QUANTITY, value)


@pytest.mark.parametrize(
    "said", ["oh I see", "this is for you", "I ate too much", "may I", "we march on", "one to one", "it is for two", "too late"]
)
def test_what_only_sounds_like_a_number_is_none(said: str) -> None:
    homophones = {word for word in said.split() if word in HOMOPHONES or word in ("oh", "may", "march")}
    pieces = read(turns(f"customer: {said}")).pieces
    assert homophones <= {piece.text for piece in pieces if piece.said in (Said.WORD, Said.LETTER)}


@st.composite
def readings(draw: st.DrawFn) -> tuple[list[str], str, list[tuple[int, int]]]:
    """(words, the digits that they say, for each digit the first and the last word that says it)."""
    words: list[str] = []
    digits = ""
    origins: list[tuple[int, int]] = []
    for number in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from(["single", "oh", "repeated", "pair", "numeral"]))
        at = len(words)
        if kind == "oh" and number and words[-1][-1] != ".":  # at the beginning of a sentence it may be an exclamation
            said, value, where = ["oh"], "0", [(at, at)]
        elif kind == "repeated":
            value = draw(st.sampled_from("0123456789")) * draw(st.sampled_from([2, 3]))
            said, where = [{2: "double", 3: "triple"}[len(value)], SAID_AS[value[0]]], [(at, at + 1)] * len(value)
        elif kind == "pair":
            value = str(draw(st.integers(10, 99)))
            both = value not in PAIRS
            said = [PAIRS[value[0] + "0"], SAID_AS[value[1]]] if both else [PAIRS[value] + ","]  # the pause: twenty, three is no 23
            where = [(at, at), (at + both, at + both)]
        elif kind == "numeral":
            value = draw(st.text("0123456789", min_size=1, max_size=6))
            said, where = [value], [(at, at)] * len(value)
        else:
            value = draw(st.sampled_from("0123456789"))
            said, where = [SAID_AS[value]], [(at, at)]
        if draw(st.booleans()) and not said[-1].endswith(","):
            said[-1] += draw(st.sampled_from([",", ".", ";"]))
        words += said
        digits += value
        origins += where
    return words, digits, origins


@given(readings())
def test_digits_come_back_from_any_way_of_reading_them_out(reading: tuple[list[str], str, list[tuple[int, int]]]) -> None:
    words, digits, origins = reading
    read_back = read(turns("customer: " + " ".join(words)))

    assert "".join(piece.text for piece in read_back.pieces) == digits
    assert [span for piece in read_back.pieces for span in piece.words] == origins


@given(readings(), st.data())
def test_every_stretch_of_the_text_maps_to_the_words_that_say_it(
    reading: tuple[list[str], str, list[tuple[int, int]]], data: st.DataObject
) -> None:
    words, _, origins = reading
    read_back = read(turns("agent: go ahead", "customer: " + " ".join(words)))
    places = [at for at, sign in enumerate(read_back.text) if sign.isdigit()]
    first = data.draw(st.integers(0, len(places) - 1))
    last = data.draw(st.integers(first, len(places) - 1))

    said = origins[first : last + 1]
    assert read_back.places(places[first], places[last] + 1) == (Place(1, min(low for low, _ in said), max(high for _, high in said)),)


@given(st.lists(st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=12), min_size=1, max_size=4))
def test_no_word_is_lost_and_none_is_invented(conversation: list[list[str]]) -> None:
    reading = read(turns(*("customer: " + " ".join(words) for words in conversation)))

    for position, words in enumerate(conversation):
        pieces = reading.turns[position]
        assert {n for piece in pieces for low, high in piece.words for n in range(low, high + 1)} == set(range(len(words)))
        assert [piece.first_word for piece in pieces] == sorted(piece.first_word for piece in pieces)
    for piece in reading.pieces:
        assert len(piece.words) == len(piece.text)
        assert reading.text[piece.start : piece.start + len(piece.text)] == piece.text
