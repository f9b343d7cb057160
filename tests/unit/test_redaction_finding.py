"""Redaction from the words of a call to what is shown of it: what is card or personal data, and what only looks like it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.redaction.placeholders import redacted
from domain.redaction.shapes import Sensitive
from domain.transcripts import Turn
from resources.redaction.finding import Recognisers, find, load_recognisers
from resources.redaction.presidio import Presidio
from resources.redaction.terms import read_terms
from tests.unit.redaction_turns import turns


@pytest.fixture(scope="module")
def recogniser() -> Recognisers:
    return load_recognisers()


def shown(call: list[Turn], recogniser: Recognisers) -> list[str]:
    return [f"{turn.role}: {turn.text}" for turn in redacted(call, find(call, recogniser))]


HIDDEN = [
    # "double four", "oh", teens and tens
    (
        ["agent: And the card number?", "customer: It's forty one eleven, double one double one, oh oh nine oh, forty four twenty seven."],
        ["customer: It's [card_number]"],
    ),
    # over turns and speakers
    (
        ["agent: The last three on the back?", "customer: One two three."],
        ["agent: The last three on the back?", "customer: [security_code]"],
    ),
    (
        [
            "agent: Go ahead with the card.",
            "customer: Four one one one.",
            "agent: Mm-hm.",
            "customer: One one one one, um, one one one one.",
            "agent: Okay.",
            "customer: And then one one one one.",
            "agent: That's four one one one, one one one one, one one one one, one one one one. And the expiry?",
            "customer: Oh nine twenty seven.",
            "agent: Security code?",
            "customer: Nine oh seven. Sorry, nine oh eight.",
        ],
        [
            "customer: [card_number]",
            "customer: [card_number]",
            "customer: And then [card_number]",
            "agent: That's [card_number] And the expiry?",
            "customer: [expiry_date]",
            "customer: [security_code]",
        ],
    ),
    (
        ["customer: My Visa is 4111 1111 1111 1111, 09/27, code 123, thanks."],
        ["[card_number]", "[expiry_date]", "[security_code]", "thanks."],
    ),
    # a digit missing, wrong or doubled: no checksum, a card number all the same
    (
        ["agent: The card number, please?", "customer: four one one one one one one one one one one one one one two"],
        ["customer: [card_number]"],
    ),
    (["agent: What's your date of birth?", "customer: Three three eighty five."], ["customer: [date_of_birth]"]),
    (["agent: Your date of birth?", "customer: The third of March, eighty-five."], ["customer: [date_of_birth]"]),
    (["agent: Date of birth?", "customer: March third nineteen eighty five."], ["customer: [date_of_birth]"]),
    (["agent: And the last four of your social?", "customer: Nine one four three."], ["customer: [ssn]"]),
    (["customer: My social is five one two, forty-four, oh nine seven three."], ["customer: My social is [ssn]"]),
    (
        [
            "agent: I'll need the routing number.",
            "customer: Oh two one, oh oh oh, oh two one.",
            "agent: And the account number?",
            "customer: Four four seven one nine two oh.",
        ],
        ["customer: [bank_account]"],
    ),
    (["customer: You can reach me at five five five, two one two, oh one four seven."], ["customer: You can reach me at [phone]"]),
    (["customer: It's j dot smith eighty two at gmail dot com."], ["customer: It's [email]"]),
    (["agent: What email should I use?", "customer: s m i t h underscore four at yahoo dot com"], ["customer: [email]"]),
]


@pytest.mark.parametrize(("lines", "expected"), HIDDEN)
def test_what_is_read_out_is_hidden_and_nothing_around_it(lines: list[str], expected: list[str], recogniser: Recognisers) -> None:
    after = "\n".join(shown(turns(*lines), recogniser))

    for line in expected:
        assert line in after
    digits = {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "oh", "zero", "double"}
    answers = [line.lower().replace(",", " ").replace(".", " ").split() for line in after.split("\n") if "[" in line]
    assert not [word for words in answers for word in words if word in digits or word.isdigit()]


KEPT = [
    ["agent: The premium is one hundred eighty five dollars, with a five hundred deductible.", "customer: One eighty five, okay."],
    ["agent: Do you have your claim number?", "customer: Four four seven one nine two two three eight."],
    ["agent: Your confirmation number is 7718 2230 45, and the policy number is D E I dash two zero four four nine."],
    [
        "agent: When is the event?",
        "customer: June fourteenth, twenty twenty six, from four thirty to eleven.",
        "agent: How many guests?",
        "customer: One forty.",
    ],
    ["agent: The quote number is five five four one, oh oh seven six, two two three eight, one nine oh four."],
    ["agent: And the zip code?", "customer: Three three one two eight."],
    ["customer: The house was built in nineteen eighty five and the boat is a twenty twelve."],
    ["customer: We're at 1600 Harbor Drive, suite 412, and we have limits of one million, two million."],
    ["agent: What time?", "customer: Between nine and eleven on the fifth of May."],
    ["agent: Find us at daily event dot com, or call back between nine and five."],
    [
        "customer: I don't want to read my card over the phone.",
        "agent: That's fine, you can key in the sixteen digits and the three on the back.",
    ],
]


@pytest.mark.parametrize("lines", KEPT)
def test_prices_policies_dates_and_places_stay(lines: list[str], recogniser: Recognisers) -> None:
    assert find(turns(*lines), recogniser) == ()


def test_a_value_in_several_pieces_is_one_entity_and_has_its_times(recogniser: Recognisers) -> None:
    call = turns(
        "agent: Your card?", "customer: four one one one one one one one", "agent: okay", "customer: one one one one one one one one"
    )
    first, second = find(call, recogniser)

    assert (first.kind, first.entity, second.kind) == (Sensitive.CARD_NUMBER, second.entity, Sensitive.CARD_NUMBER)
    assert (first.position, first.channel, first.first_word, first.last_word) == (1, 1, 0, 7)
    assert (first.start_ms, first.end_ms) == (call[1].words[0].start_ms, call[1].words[7].end_ms)


def test_a_checksum_raises_confidence(recogniser: Recognisers) -> None:
    good, bad = ("four one one one " * 3 + end for end in ("one one one nine", "one one one eight"))
    sure, unsure = (find(turns("agent: Your card number?", f"customer: {digits}"), recogniser)[0] for digits in (good, bad))

    assert sure.kind is unsure.kind is Sensitive.CARD_NUMBER
    assert {one.confidence > 0.95 for one in (sure, unsure)} == {True, False}
    assert recogniser.version in sure.recogniser


def test_what_was_not_understood_beside_a_number_that_lacks_digits_is_hidden_too(recogniser: Recognisers) -> None:
    assert shown(turns("agent: The code on the back?", "customer: it's nine wan cellar"), recogniser)[1] == "customer: [security_code]"


SAID = (
    *(
        "one",
        "two",
        "oh",
        "double",
        "forty",
        "hundred",
        "thousand",
        "and",
        "card",
        "number",
        "code",
        "security",
        "social",
        "routing",
        "account",
    ),
    *(
        "birth",
        "born",
        "march",
        "third",
        "of",
        "the",
        "expires",
        "4111111111111111",
        "123",
        "$5.00",
        "09/27",
        "at",
        "dot",
        "com",
        "gmail",
        "a@b.co",
    ),
    *(
        "phone",
        "email",
        "my",
        "is",
        "um",
        "—",
        "x",
        "y",
        "it's",
        "back",
        "last",
        "three",
        "digits",
        "on",
        "your",
        "for",
        "to",
        "policy",
        "?",
        "…",
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["agent", "customer", "unknown"]), st.lists(st.sampled_from(SAID), min_size=1, max_size=15)), max_size=8
    ),
    st.sampled_from([0.95, 0.4]),
)
def test_whatever_is_said_no_word_is_hidden_twice_and_the_same_is_found_again(
    recogniser: Recognisers, said: list[tuple[str, list[str]]], confidence: float
) -> None:
    call = turns(*(f"{role}: {' '.join(words)}" for role, words in said), confidence=confidence)
    found = find(call, recogniser)

    words = [(one.position, word) for one in found for word in range(one.first_word, one.last_word + 1)]
    assert len(words) == len(set(words))
    assert all(0 <= one.first_word <= one.last_word < len(call[one.position].words) for one in found)
    assert found == find(call, recogniser)
    kinds: dict[int, Sensitive] = {}
    assert all(kinds.setdefault(one.entity, one.kind) is one.kind for one in found)


def test_terms_of_ones_own_are_hidden_whatever_their_case_and_signs(tmp_path: Path) -> None:
    file = tmp_path / "terms.txt"
    file.write_text("# clients\nHarper Barn\n\nO'Neil  # the family\n")
    recogniser = load_recognisers(file)

    assert read_terms(file) == ("Harper Barn", "O'Neil")
    assert shown(turns("agent: The harper, BARN is Oneil's? No: o’neil. A barn."), recogniser) == [
        "agent: The [custom] is [custom] No: [custom] A barn."
    ]


def test_the_version_changes_with_the_terms_alone(recogniser: Recognisers) -> None:
    assert load_recognisers().version == recogniser.version == load_recognisers(["…"]).version
    assert load_recognisers(["Harper"]).version == load_recognisers(["harper", "Harper"]).version != recogniser.version


def test_an_address_is_checked_against_the_suffixes_that_there_are() -> None:
    assert Presidio().addresses(["j.smith@gmail.com", "j.smith@gmail.calm1", "", "not an address"]) == [True, False, False, False]


def test_nothing_is_fetched_and_nothing_is_written(tmp_path: Path) -> None:
    program = """
import sys
seen = []
allowed = {"socket.__new__", "socket.bind"}  # urllib3, while it is imported, tries to bind to this machine's own ::1
def watch(event, args):
    if event.startswith("socket.") and event not in allowed:
        seen.append(event)
    if event == "open" and args[0] != "/dev/null" and isinstance(args[2], int) and args[2] & 0b11:
        seen.append(f"open {args[0]}")
    if event in ("os.mkdir", "os.rename", "os.remove"):
        seen.append(f"{event} {args[0]}")
sys.addaudithook(watch)
from tests.unit.redaction_turns import turns
from resources.redaction.finding import find, load_recognisers
allowed.clear()
found = find(turns("customer: my card is 4111 1111 1111 1111 and my email is j dot smith at gmail dot com"), load_recognisers())
assert sorted(one.kind.value for one in found) == ["card_number", "email"], found
assert not seen, seen
"""
    home = tmp_path / "home"
    home.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert list(home.iterdir()) == []
