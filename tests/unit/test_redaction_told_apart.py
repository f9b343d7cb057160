"""Numbers that two kinds may claim: cards and phones, social security numbers and dates, identifiers, and digits that were misheard."""

from dataclasses import replace

import pytest

from domain.redaction.shapes import Sensitive
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


CARDS = [
    # something else is named, and nothing of it is asked for
    (["agent: And whose card is it?", "customer: Joan Mabry. Number's four four one two, nine oh three three, one one eight ~line."], 1),
    (["agent: The card, please.", "customer: My phone's ringing. Five five ~free one, six one one oh, nine two two one, oh oh four."], 1),
    (["agent: Your card?", "customer: Wait, what happened? Okay: four, nine, ~too, one. Ready? Three, three, eight, two."], 1),
    (["customer: The card: four one one two, three three four ~fix, nine.", "agent: The last group was three three four?"], 1),
    # said in parts, and interrupted
    (
        [
            "agent: Read me the card.",
            "customer: Five one two two. Three three oh nine.",
            "agent: Which group came after that one, you broke up?",
            "customer: There was a truck. It was seven seven one.",
        ],
        3,
    ),
    # nobody is heard to say "card"
    (["agent: The ~sun number, please?", "customer: Four oh one eight, two two nine six, ~torn."], 1),
    (["customer: Take this: 2514 4471 7703. 11/2029."], 0),
    (["customer: Use ~or 0612 4471 9906."], 0),
]


@pytest.mark.parametrize(("lines", "place"), CARDS)
def test_digits_of_a_card_are_nothing_else(lines: list[str], place: int, recogniser: Recognisers) -> None:
    found = {one.kind for one in find(heard(*lines), recogniser) if one.position == place}

    assert found and Sensitive.CARD_NUMBER in found and Sensitive.PHONE not in found


KEPT = [
    ["agent: What's the number for the inspector's report?", "customer: Five one nine two, two oh one eight."],
    ["agent: Prescription number for the cat's drops?", "customer: 4471 902, one refill."],
    ["agent: The Zoom ID for tomorrow is 931 4402 7716."],
    ["customer: It says F C C ID, H Y 7, and under that nine nine oh four one two oh three oh."],
    ["customer: On the tag there's a number, 6120 448 31."],
    ["customer: Nobody has a fax! It's 2026."],
    ["customer: His bond runs out 05/31/28, I believe."],
]


@pytest.mark.parametrize("lines", KEPT)
def test_numbers_of_things_are_no_phones_and_no_births(lines: list[str], recogniser: Recognisers) -> None:
    assert find(heard(*lines), recogniser) == ()


OTHERS = [
    (["agent: Happy early birthday! And does her social end in 2 2 8 1?"], 0, Sensitive.SSN),
    (["agent: Her social?", "customer: It's in my phone. Five one two, oh six, four four one nine."], 1, Sensitive.SSN),
    (["agent: I have 704-555-0151?", "customer: It ends in fifty-eight.", "agent: Ah, 555-0158."], 0, Sensitive.PHONE),
    (["agent: I have 704-555-0151?", "customer: It ends in fifty-eight.", "agent: Ah, 555-0158."], 2, Sensitive.PHONE),
]


@pytest.mark.parametrize(("lines", "place", "kind"), OTHERS)
def test_a_value_is_told_by_what_was_asked_last(lines: list[str], place: int, kind: Sensitive, recogniser: Recognisers) -> None:
    assert {one.kind for one in find(heard(*lines), recogniser) if one.position == place} == {kind}


def test_what_was_earned_is_no_second_social_security_number(recogniser: Recognisers) -> None:
    call = heard(
        "agent: I need your social.",
        "customer: My social is five one two, forty, ninety-two eleven.",
        "agent: Thanks, and the plan?",
        "customer: The small one.",
        "agent: It went to sixteen eighty-five last spring, just so that you know.",
    )

    assert {one.position for one in find(call, recogniser)} == {1}


def test_the_code_of_a_country_is_a_part_of_the_number(recogniser: Recognisers) -> None:
    call = heard("agent: And the phone?", "customer: Six one two, three four five, six seven eight, the country code is three five one.")

    assert max(one.last_word for one in find(call, recogniser)) == len(call[1].words) - 1
