"""Labelled dialogues are read as their README says, damaged as recognisers do, and scored so that nothing flatters."""

from itertools import pairwise
from pathlib import Path

import pytest

from domain.parties import Party
from resources.policies.rules import compliance_rules
from tests.corpus.damage import damaged
from tests.corpus.reading import Dialogue, WrongCorpus, read
from tests.corpus.scoring import Score, score, wilson

TEXT = """
# A remark.
=== one-1
kind: plain
expect: disclosure=met, consent=declined, said=complaint+legal_threat
agent: This call is recorded, is that okay? //
customer: No. It's <security_code>one two three</security_code>, I mean.
[1:05] agent: My card is <card_number#1>four one</card_number>
customer: yes
agent: and <card_number#1>one one</card_number>.

=== one-2
kind: negated
expect: said=none
unknown: Hello there.
"""


def dialogues(tmp_path: Path, text: str = TEXT) -> list[Dialogue]:
    path = tmp_path / "one.txt"
    path.write_text(text)
    return list(read(path))


def test_a_file_is_read_as_the_readme_says(tmp_path: Path) -> None:
    first, second = dialogues(tmp_path)
    assert (first.id, first.kind, first.expect) == ("one-1", "plain", {"disclosure": "met", "consent": "declined"})
    assert first.said == frozenset({"complaint", "legal_threat"}) and second.said == frozenset()
    assert [turn.role for turn in first.call.turns] == [Party.AGENT, Party.CUSTOMER, Party.AGENT, Party.CUSTOMER, Party.AGENT]
    assert first.call.turns[1].start_ms < first.call.turns[0].end_ms and first.call.turns[2].start_ms == 65_000
    assert [word.text for word in first.call.turns[1].words] == ["No.", "It's", "one", "two", "three,", "I", "mean."]
    assert [(mark.kind, mark.turn, mark.first, mark.last) for mark in first.marks] == [
        *(("security_code", 1, 2, 4), ("card_number", 2, 3, 4), ("card_number", 4, 1, 2)),
    ]
    assert first.marks[1].value == first.marks[2].value != first.marks[0].value
    assert second.call.turns[0].attribution_confidence == 0


@pytest.mark.parametrize("wrong", ["consent=perhaps", "said=rudeness", "disclosure=yes"])
def test_a_wrong_label_is_told(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(WrongCorpus, match=r"one\.txt, x"):
        dialogues(tmp_path, f"=== x\nkind: plain\nexpect: {wrong}\nagent: Hello.\n")


def test_damage_is_seeded_and_of_the_rate_that_it_says(tmp_path: Path) -> None:
    text = "=== long\nkind: plain\nexpect: said=none\nagent: " + "the quick brown fox jumps over a lazy dog today " * 400
    (long,) = dialogues(tmp_path, text)
    spoken = [word.text for word in long.call.turns[0].words]
    for rate in (0.05, 0.1, 0.2):
        heard = damaged(long, rate).call.turns[0].words
        assert heard == damaged(long, rate).call.turns[0].words != damaged(long, rate, seed=1).call.turns[0].words
        wrong = abs(len(spoken) - len(heard)) + sum(word.confidence < 0.5 for word in heard)
        assert 0.2 * rate < wrong / len(spoken) < 1.2 * rate
        assert all(before.end_ms <= after.start_ms for before, after in pairwise(heard))
    assert damaged(long, 0) is long


def test_marks_stay_on_their_words_under_damage(tmp_path: Path) -> None:
    (one,) = dialogues(
        tmp_path,
        "=== m\nkind: plain\nexpect: said=none\ncustomer: It is <ssn>alpha bravo charlie delta</ssn> and that is all there is to it.",
    )
    for seed in range(30):
        heard = damaged(one, 0.2, seed)
        for mark in heard.marks:
            texts = [word.text for word in heard.call.turns[mark.turn].words]
            kept = [text for text in texts if text in {"alpha", "bravo", "charlie", "delta"}]
            assert set(kept) <= set(texts[mark.first : mark.last + 1])


def test_what_cannot_be_told_is_neither_right_nor_wrong() -> None:
    one = Score()
    for expected, found in ((True, True), (True, None), (True, False), (False, True), (False, None), (False, False)):
        one.count(expected, found, "x")
    assert (one.right, one.missed, one.wrongly_found, one.rightly_not, one.open_yes, one.open_no) == (1, 1, 1, 1, 1, 1)
    assert (one.precision[0], one.recall[0], one.recall_of_all[0]) == (0.5, 0.5, 1 / 3)


def test_the_interval_is_wilsons() -> None:
    share, low, high = wilson(95, 100)
    assert share == 0.95 and low == pytest.approx(0.8882, abs=1e-4) and high == pytest.approx(0.9785, abs=1e-4)
    assert wilson(0, 0)[1:] == (0.0, 1.0)


def test_judgements_are_scored(tmp_path: Path) -> None:
    scores = score([dialogues(tmp_path)[0]], compliance_rules())
    assert scores.by["recording_disclosure"].right == 1 and scores.refusals == 1 and scores.refusals_taken == []
    assert scores.by["complaint"].missed == 1 and scores.by["trust_me"].rightly_not == 1
