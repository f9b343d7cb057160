"""The language of patterns, how words become tokens, and where rules count."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.parties import Party
from domain.rules.judging import judge
from domain.rules.phrases import PhraseBook
from domain.rules.rules import Cue, Event, Kind, Rule, Rules, Saying, Where, Window, WindowKind
from domain.rules.shapes import Interval, Severity, Verdict
from domain.rules.syntax import WrongPattern, read
from domain.rules.tokens import Break, normalised, utterances
from tests.unit.spoken_turns import call

LISTS = {"line": ["call", "phone call", "@more"], "more": ["chat/talk"], "round": ["@round"]}


def finds(pattern: str, words: str) -> list[str]:
    (said,) = utterances(call(f"agent: {words}").turns)
    texts = [token.text for token in said.tokens]
    return [" ".join(texts[phrase.start : phrase.end]) for phrase in PhraseBook({"x": [pattern]}, LISTS).find(said)]


@pytest.mark.parametrize(
    ("pattern", "words", "expected"),
    [
        ("recorded", "It is recorded.", ["recorded"]),
        ("call/line is", "This line is open.", ["line is"]),
        ("(is being|will be) recorded", "It will be recorded, it is being recorded.", ["will be recorded", "is being recorded"]),
        ("stop [the] recording", "Stop recording, stop the recording.", ["stop recording", "stop the recording"]),
        ("stop ..2 recording", "Stop all of the recording. Stop this recording.", ["stop this recording"]),
        ("@line is", "My phone call is long, my chat is short.", ["call is", "chat is", "phone call is"]),
        ("do not", "I don't.", ["do not"]),
        ("can not", "I cannot. I can't.", ["can not", "can not"]),
        ("Banana", "A banana.", ["banana"]),
        ("don't worry", "Do not worry.", ["do not worry"]),
        ("I'm Done/finished", "I am done.", ["i am done"]),
        ("wi-fi", "The wi-fi is out.", ["wi fi"]),
        ("hello. [uh] there", "Hello, uh, there.", ["hello there"]),
        ("100 percent", "A hundred percent.", ["hundred percent"]),
        ("tape the !@line", "Tape the window, tape the chat, tape the.", ["tape the window"]),
        ("tape !up/down it", "Tape up it, tape all it.", ["tape all it"]),
    ],
)
def test_patterns_find(pattern: str, words: str, expected: list[str]) -> None:
    assert sorted(finds(pattern, words)) == sorted(expected)


@pytest.mark.parametrize(
    "pattern",
    ["(a b", "a]", "@nothing", "@round", "..3", "[a] [b]", "a ..2 !b ..2 c", "", "a//b", "uh", "(a|b) (c d|e f) " + "(a b|c d) " * 14],
    ids=lambda pattern: pattern[:12],
)
def test_a_wrong_pattern_is_told(pattern: str) -> None:
    with pytest.raises(WrongPattern):
        read(pattern, LISTS)


word = st.sampled_from(["a", "b", "c", "d"])


@given(st.lists(word, min_size=1, max_size=8), word, word, st.integers(0, 4))
def test_a_gap_takes_at_most_so_many_words(texts: list[str], first: str, last: str, most: int) -> None:
    found = finds(f"{first}x ..{most} {last}y", " ".join(f"{text}{end}" for text in texts for end in "xy"))
    tokens = [f"{text}{end}" for text in texts for end in "xy"]
    expected = {
        " ".join(tokens[start : end + 1])
        for start in range(len(tokens))
        for end in range(start + 1, min(len(tokens), start + most + 2))
        if tokens[start] == f"{first}x" and tokens[end] == f"{last}y"
    }
    assert set(found) == expected


@pytest.mark.parametrize(
    ("written", "tokens", "after"),
    [
        ("Don't,", ("do", "not"), Break.PAUSE),
        ("we're", ("we", "are"), Break.NONE),
        ("call’s", ("call", "is"), Break.NONE),
        ("OK?", ("ok",), Break.QUESTION),
        ("A.I.", ("ai",), Break.STOP),
        ("um,", (), Break.PAUSE),
        ("twenty-one", ("twenty", "one"), Break.NONE),
        ("—", (), Break.PAUSE),
        ("mm-hmm.", ("mhm",), Break.STOP),
        ("alright", ("all", "right"), Break.NONE),
    ],
)
def test_words_become_tokens(written: str, tokens: tuple[str, ...], after: Break) -> None:
    assert normalised(written) == (tokens, after)


@given(st.text(st.characters(exclude_categories=("C", "Z")), max_size=20))
def test_any_word_becomes_tokens_without_spaces(written: str) -> None:
    tokens, _ = normalised(written)
    assert all(token and token == token.lower() and len(token.split()) == 1 for token in tokens if token.isascii())


def rule(window: Window, kind: Kind = Kind.REQUIRE, **what: object) -> Rule:
    says = (Saying(frozenset({Party.AGENT}), ("fees apply",)),)
    made = Rule("fees", "3", "Fees are told.", Severity.MINOR, "House rule", date(2020, 1, 1), None, kind, says, window)
    return replace(made, **what)  # type: ignore[arg-type]


def rules(one: Rule) -> Rules:
    price = Event("price_discussed", frozenset({Party.AGENT}), ("it costs",))
    denied = (Cue(Where.BEFORE, ("no",), 0),)
    return Rules("v", (one,), (price,), {"denied": denied}, {}, (), {})


@pytest.mark.parametrize(
    ("window", "lines", "verdict"),
    [
        (Window(WindowKind.BEFORE, event="price_discussed"), ("agent: Fees apply here.", "agent: It costs ten dollars."), Verdict.MET),
        (
            Window(WindowKind.BEFORE, event="price_discussed"),
            ("agent: Well, it costs ten dollars.", "agent: Fees apply here."),
            Verdict.CANNOT_TELL,
        ),
        (
            Window(WindowKind.BEFORE, event="price_discussed"),
            ("agent: Good morning to all of you.", "agent: It costs ten dollars.", "agent: Fees apply."),
            Verdict.NOT_MET,
        ),
        (Window(WindowKind.BEFORE, event="price_discussed"), ("agent: Good morning to you.",), Verdict.MET),
        (Window(WindowKind.AFTER, event="price_discussed"), ("agent: It costs ten dollars.", "agent: Fees apply."), Verdict.MET),
        (Window(WindowKind.AFTER, event="price_discussed"), ("agent: Fees apply.", "agent: It costs ten dollars."), Verdict.NOT_MET),
        (Window(WindowKind.FIRST, seconds=2), ("agent: Fees apply to all of this.",), Verdict.MET),
        (Window(WindowKind.FIRST, seconds=2), ("agent: Good morning to all of you out there, fees apply.",), Verdict.NOT_MET),
        (Window(WindowKind.LAST, seconds=2), ("agent: Good morning to all of you, fees apply.",), Verdict.MET),
        (Window(WindowKind.LAST, seconds=2), ("agent: Fees apply, and good morning to all of you.",), Verdict.NOT_MET),
        (Window(WindowKind.AFTER, event="recording_started"), ("agent: Fees apply here and there.",), Verdict.MET),
    ],
)
def test_a_rule_counts_in_its_window(window: Window, lines: tuple[str, ...], verdict: Verdict) -> None:
    (finding,) = judge(call(*lines), rules(rule(window))).findings
    assert (finding.verdict, finding.rule_version) == (verdict, "3")


def test_after_recording_started_is_from_where_it_covers() -> None:
    heard = call("agent: Fees apply.", "agent: Good morning to all of you.")
    late = replace(heard, recorded=(Interval(heard.turns[1].start_ms, heard.length_ms),))
    (finding,) = judge(late, rules(rule(Window(WindowKind.AFTER, event="recording_started")))).findings
    assert finding.verdict is Verdict.NOT_MET


def test_cues_and_effective_dates_are_the_rules() -> None:
    denied = rule(Window(), Kind.FORBID, cues=("denied",))
    assert judge(call("agent: No fees apply."), rules(denied)).findings[0].verdict is Verdict.MET
    assert judge(call("agent: Some fees apply."), rules(denied)).findings[0].verdict is Verdict.NOT_MET
    over = rule(Window(), Kind.FORBID, effective_until=date(2026, 3, 2))
    assert judge(call("agent: Some fees apply."), rules(over)).findings == ()
