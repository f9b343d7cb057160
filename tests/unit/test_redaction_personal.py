"""E-mail addresses, phone numbers and dates of birth: by what was asked, of whom it is said, and by their shape; also where words were misheard."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.redaction.dates import is_birth, is_in_threes, may_be_birth
from domain.redaction.placeholders import redacted
from domain.redaction.shapes import Sensitive
from domain.redaction.spoken_numbers import NUMBERS, Piece, read
from domain.transcripts import Turn
from resources.redaction.finding import Recognisers, find, load_recognisers
from tests.unit.redaction_turns import turns


@pytest.fixture(scope="module")
def recogniser() -> Recognisers:
    return load_recognisers()


def heard(*lines: str) -> list[Turn]:
    """A "~" before a word: recognition was not sure of it."""
    call = turns(*lines)
    for place, turn in enumerate(call):
        words = tuple(replace(word, text=word.text.removeprefix("~"), confidence=0.5 if "~" in word.text else 0.95) for word in turn.words)
        call[place] = replace(turn, words=words, text=" ".join(word.text for word in words))
    return call


def shown(recogniser: Recognisers, *lines: str) -> list[str]:
    call = heard(*lines)
    return [turn.text for turn in redacted(call, find(call, recogniser))]


BIRTHS = [
    # asked in one turn and answered in parts, about one and then another
    (["agent: Your birthday?", "customer: June the second.", "agent: Of which year?", "customer: Fifty-eight."], [1, 3]),
    (
        ["agent: And when was he born?", "customer: Nine, eleven, seventy.", "agent: And the little one?", "customer: Mia, 4/30/2019."],
        [1, 3],
    ),
    (["agent: Birth date?", "customer: The tenth of the twelfth, eighty-one."], [1]),
    (["agent: Date of birth?", "customer: The month is three, the day is nine, nineteen ninety."], [1]),
    # nobody says "birth": who somebody is, and a person's word right before
    (["agent: I need to verify who I am talking to.", "customer: Sure, Ann Ross, six, twelve, sixty-four."], [1]),
    (["customer: Please add my husband Carl, 5/17/1966."], [0]),
    (["agent: Which other drivers are there?", "customer: Only my son, October first, two thousand one."], [1]),
    # named days
    (["agent: Date of birth, please?", "customer: Christmas Eve, nineteen sixty-two."], [1]),
    # read back with a word misheard
    (["agent: Date of birth?", "customer: Two two eighty five.", "agent: Two ~too eighty ~fire."], [1, 2]),
    (["agent: The date of ~bird please?", "customer: Seven, four, seventy-six."], [1]),
]


@pytest.mark.parametrize(("lines", "hidden"), BIRTHS)
def test_dates_of_birth_are_hidden_whoever_was_born(lines: list[str], hidden: list[int], recogniser: Recognisers) -> None:
    after = shown(recogniser, *lines)

    assert [place for place, text in enumerate(after) if "[date_of_birth]" in text] == hidden
    assert not any(word.strip(".,").isdigit() for text in after for word in text.replace("/", " ").split())


KEPT = [
    ["customer: We bought the cabin on the third of May, nineteen eighty-five."],
    ["customer: My uncle started the bakery on March first nineteen seventy two."],
    ["agent: When did your wife retire?", "customer: The first of June, two thousand twelve."],
    ["agent: What's the date of hire?", "customer: Nine, four, two thousand eight."],
    ["agent: Is it for his birthday?", "customer: Yes, on June ninth, twenty twenty-seven."],
    ["agent: What's the serial on the camera?", "customer: Four four one nine two eight seven seven one oh."],
    ["agent: And the member ID?", "customer: Three three one, five five five, two two one one."],
    ["agent: Do you have the policy?", "customer: It's D E I, four four one, two two nine, seven six five oh."],
    ["agent: Did you get the email?", "customer: I looked at home, nothing came."],
    ["agent: May I have an email?", "customer: I don't have one, just mail it."],
    ["agent: I'll email you the link.", "customer: Wonderful, that works."],
    ["agent: Log in at portal dot harborhall dot net and click the second tab."],
    ["customer: We live in a mobile home, fourteen by seventy."],
]


@pytest.mark.parametrize("lines", KEPT)
def test_old_dates_identifiers_and_talk_of_mail_stay(lines: list[str], recogniser: Recognisers) -> None:
    assert find(heard(*lines), recogniser) == ()


ADDRESSES = [
    (["agent: What email is it under?", "customer: sue_b90", "agent: At hotmail?", "customer: Yes, hotmail."], ["[email]", "[email]", "Yes, [email]"]),
    (["agent: Your email?", "customer: j as in Jim, t for Tom, at gmail dot com."], ["[email]"]),
    (["agent: Where should I send it?", "customer: p hale at t u v dot d e."], ["[email]"]),
    (["customer: Write to coach underscore ray at tigers swim dot club."], ["[email]"]),
    (["agent: And the e-mail?", "customer: lena at fjord ~hard dot ~men"], ["[email]"]),
    (["agent: Best email?", "customer: lena ~that gmail ~sock com"], ["[email]"]),
    (["agent: Your email, please?", "customer: ~drum"], ["[email]"]),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), ADDRESSES)
def test_addresses_are_hidden_spelled_in_parts_or_misheard(lines: list[str], expected: list[str], recogniser: Recognisers) -> None:
    after = shown(recogniser, *lines)[-len(expected) :]

    assert all(text.rstrip(".").endswith(end) for text, end in zip(after, expected, strict=True)), after


PHONES = [
    (["agent: Do you have a number for the caterer?", "customer: It's 800-555-0199."], 1),
    (["customer: She is on +44 20 7946 0958 this week."], 0),
    (["agent: How can we get in touch with him?", "customer: Plus four nine, one seven one, five five five, two two three four."], 1),
    (["agent: I have two one two, nine oh one so far.", "agent: The rest of the phone?", "customer: Four four one seven."], 2),
    (["agent: The phone number on file and your birth date?", "customer: It's two one two, nine oh one, four four one seven."], 1),
    (["customer: Ring six oh two five five five oh one three one when you get there."], 0),
]


@pytest.mark.parametrize(("lines", "place"), PHONES)
def test_phone_numbers_are_hidden_however_they_are_grouped(lines: list[str], place: int, recogniser: Recognisers) -> None:
    found = find(heard(*lines), recogniser)

    assert place in {one.position for one in found if one.kind is Sensitive.PHONE}
    assert {one.kind for one in found} == {Sensitive.PHONE}


def test_a_number_that_is_asked_for_while_a_card_is_read_is_no_phone(recogniser: Recognisers) -> None:
    found = find(heard("agent: Which card, and what number is it?", "customer: Four one one one ~dash one one one one"), recogniser)

    assert {one.kind for one in found} == {Sensitive.CARD_NUMBER}


def _pieces(text: str) -> tuple[Piece, ...]:
    return tuple(piece for piece in read(turns(f"customer: {text}")).pieces if piece.said in NUMBERS)


OLD = st.dates(date(1930, 1, 1), date(2012, 12, 31))
ORDERS = ["{m}/{d}/{y}", "{d}/{m}/{y}", "{y}-{m:02}-{d:02}", "{m:02} {d:02} {y}", "{m}, {d}, {y}"]


@given(OLD, st.sampled_from(ORDERS))
def test_every_old_date_may_be_a_birth_in_the_usual_orders(day: date, order: str) -> None:
    pieces = _pieces(order.format(m=day.month, d=day.day, y=day.year))

    assert is_birth(pieces)
    assert may_be_birth(pieces)


@given(st.lists(st.integers(0, 99999), min_size=1, max_size=6))
def test_any_digits_are_a_date_or_none_and_nothing_fails(numbers: list[int]) -> None:
    pieces = _pieces(" ".join(map(str, numbers)))
    digits = "".join(piece.text for piece in pieces)

    for takes in (is_birth, may_be_birth):
        assert takes(pieces) in (True, False)
    if is_birth(pieces):
        assert 5 <= len(digits) <= 8


@given(st.integers(1, 12), st.integers(1, 31), st.integers(0, 99))
def test_three_short_numbers_are_a_day_a_month_and_a_year(month: int, day: int, year: int) -> None:
    texts = [str(month), str(day), f"{year:02}"]

    assert is_in_threes([len(text) for text in texts], "".join(texts))
    assert not is_in_threes([2, 2, 2], f"{month + 31:02}{day:02}{year:02}")
