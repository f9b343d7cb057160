"""What is read out of a card, of a bank's account and of a social security card, however it was asked for; and what has the same shape."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.redaction.checksum import passes_luhn
from domain.redaction.shapes import Sensitive
from domain.transcripts import Turn
from resources.redaction.finding import Recognisers, find, load_recognisers
from tests.unit.redaction_turns import turns

CARD = "customer: It's a Visa. Four one one one, one one one one, one one one one, one one one one."


@pytest.fixture(scope="module")
def recogniser() -> Recognisers:
    return load_recognisers()


def found(call: list[Turn], recogniser: Recognisers) -> dict[Sensitive, list[str]]:
    """The words that are hidden, by kind."""
    values: dict[Sensitive, list[str]] = {}
    for one in find(call, recogniser):
        values.setdefault(one.kind, []).append(" ".join(word.text for word in call[one.position].words[one.first_word : one.last_word + 1]))
    return values


def misheard(call: list[Turn], *texts: str) -> list[Turn]:
    """The call, with recognition not sure of these words."""
    return [
        replace(turn, words=tuple(replace(word, confidence=0.5) if word.text.strip(".,?") in texts else word for word in turn.words))
        for turn in call
    ]


@pytest.mark.parametrize(
    "question",
    [
        "And the tiny figures by the scribble?",
        "Now the last three on the flip side.",
        "What's the verification value?",
        "Turn it over, please.",
        "Then the three digit thing.",
        "And on the signature strip?",
    ],
)
def test_a_code_is_asked_for_by_what_it_is_or_where_it_stands(question: str, recogniser: Recognisers) -> None:
    call = turns(CARD, f"agent: {question}", "customer: Seven oh four.")

    assert found(call, recogniser)[Sensitive.SECURITY_CODE] == ["Seven oh four."]


@pytest.mark.parametrize(
    ("question", "answer", "value"),
    [
        ("And its date?", "Oh four, thirty.", "Oh four, thirty."),
        ("When does it run out?", "May of twenty-nine.", "May of twenty-nine."),
        ("End date?", "Nought four, thirty.", "Nought four, thirty."),
        ("Until when?", "June 2030.", "June 2030."),
        ("What month and year?", "The fourth of thirty-one.", None),
        ("Good. When is it?", "It says 06/2029.", "06/2029."),
    ],
)
def test_a_date_at_a_payment_is_the_cards_end(question: str, answer: str, value: str | None, recogniser: Recognisers) -> None:
    call = turns(CARD, f"agent: {question}", f"customer: {answer}")

    dates = found(call, recogniser)[Sensitive.EXPIRY_DATE]
    assert dates and (value is None or any(value in date for date in dates))


@pytest.mark.parametrize(
    ("answer", "date", "code"),
    [
        ("Oh nine thirty, and four two two.", "Oh nine thirty,", "four two two."),
        ("August thirty-one. Oh six six.", "August thirty-one.", "Oh six six."),
        ("11/29, 480.", "11/29,", "480."),
        ("Three thirty-two and then nine one one.", "Three thirty-two", "nine one one."),
    ],
)
def test_date_and_code_in_one_answer_are_told_apart(answer: str, date: str, code: str, recogniser: Recognisers) -> None:
    values = found(turns(CARD, "agent: And the rest?", f"customer: {answer}"), recogniser)

    assert (values[Sensitive.EXPIRY_DATE], values[Sensitive.SECURITY_CODE]) == ([date], [code])


def test_a_date_behind_the_code_is_no_other_code(recogniser: Recognisers) -> None:
    values = found(turns(CARD, "agent: And on the back?", "customer: Four two two is what it says on the back, 5/2029."), recogniser)

    assert values[Sensitive.SECURITY_CODE] == ["Four two two"]
    assert values[Sensitive.EXPIRY_DATE] == ["5/2029."]


@pytest.mark.parametrize(
    "lines",
    [
        ["agent: What does the label say?", "customer: One z four four one one one one one one one one one one one one."],
        ["agent: And the meter number?", "customer: Five five one two, three three four eight."],
        ["customer: I sent you photos 4536 through 4551."],
        ["agent: And the title number?", "customer: Eight four four oh nine nine four three."],
        ["customer: My pharmacy card says group 7741 003.", "agent: That's not us."],
        ["agent: What's the number for the adjuster's file?", "customer: Four nine two three, three two one nine."],
        ["agent: Form, please?", "customer: The label on the back of the furnace says model fifty-eight."],
        ["agent: Your rewards number?", "customer: 6590 7911 0337, gold tier."],
    ],
)
def test_numbers_of_other_things_stay(lines: list[str], recogniser: Recognisers) -> None:
    assert found(turns(*lines), recogniser) == {}


def test_several_things_that_were_asked_for_are_given_in_their_order(recogniser: Recognisers) -> None:
    call = turns(
        "agent: I need your social, and then the routing number.",
        "customer: Five oh one, twenty-two, nine four four one.",
        "agent: Thanks.",
        "customer: Oh two one oh oh oh oh two one.",
    )

    values = found(call, recogniser)
    assert values[Sensitive.SSN] == ["Five oh one, twenty-two, nine four four one."]
    assert values[Sensitive.BANK_ACCOUNT] == ["Oh two one oh oh oh oh two one."]


@pytest.mark.parametrize("answer", ["about", "night thing", "It's oh double"])
def test_an_answer_of_which_hardly_a_digit_was_heard_is_hidden(answer: str, recogniser: Recognisers) -> None:
    call = misheard(turns(CARD, "agent: And the security code?", f"customer: {answer}"), "about", "night", "thing", "double")

    assert Sensitive.SECURITY_CODE in found(call, recogniser)


@pytest.mark.parametrize("answer", ["One minute, it's upstairs.", "Oh, it's so worn.", "Which one?"])
def test_who_has_yet_to_look_has_not_answered(answer: str, recogniser: Recognisers) -> None:
    assert Sensitive.SECURITY_CODE not in found(turns(CARD, "agent: And the security code?", f"customer: {answer}"), recogniser)


def test_a_routing_number_that_lacks_a_digit_ends_where_the_sentence_does(recogniser: Recognisers) -> None:
    call = turns("agent: Routing number?", "customer: Three two two, two five nine, five four time.")

    assert found(call, recogniser) == {Sensitive.BANK_ACCOUNT: ["Three two two, two five nine, five four time."]}


def test_a_card_that_was_begun_goes_on_before_anything_else(recogniser: Recognisers) -> None:
    call = turns(
        "agent: Card number?",
        "customer: Five two oh one.",
        "agent: Yes.",
        "customer: Oh three twenty-seven.",
        "agent: Yes.",
        "customer: Nine nine oh one.",
    )

    assert set(found(call, recogniser)) == {Sensitive.CARD_NUMBER}


@given(st.text(alphabet="0123456789", min_size=12, max_size=18))
def test_of_ten_last_digits_one_makes_the_checksum_right(digits: str) -> None:
    assert sum(passes_luhn(f"{digits}{last}") for last in range(10)) == 1


@given(st.text(alphabet="0123456789", max_size=12))
def test_what_is_too_short_has_no_checksum(digits: str) -> None:
    assert not passes_luhn(digits)
