"""How redaction is scored against marked values."""

from pathlib import Path

from domain.redaction.shapes import Redaction, Sensitive
from tests.corpus.entities import Counts, compared
from tests.corpus.reading import Dialogue, read

DIALOGUE = """=== one
kind: asked
agent: The number?
customer: <card_number#1>four one</card_number> um <card_number#1>one one</card_number>
agent: And when does it end?
customer: <expiry_date>oh nine twenty seven</expiry_date> and <security_code>one two three</security_code>
"""


def dialogue(folder: Path) -> Dialogue:
    file = folder / "one.txt"
    file.write_text(DIALOGUE)
    (only,) = read(file)
    return only


def hides(kind: Sensitive, entity: int, position: int, first: int, last: int) -> Redaction:
    return Redaction(kind, entity, position, 0, first, last, None, None, 0.9, "test")


def test_a_value_is_found_when_all_of_its_words_are_hidden(tmp_path: Path) -> None:
    counts, misses = compared(dialogue(tmp_path), [hides(Sensitive.CARD_NUMBER, 0, 1, 0, 1), hides(Sensitive.CARD_NUMBER, 0, 1, 3, 4)])

    assert counts[Sensitive.CARD_NUMBER] == Counts(labelled=1, found=1, predicted=1, right=1)
    assert counts[Sensitive.EXPIRY_DATE] == Counts(labelled=1)
    assert {(miss.kind, miss.predicted) for miss in misses} == {(Sensitive.EXPIRY_DATE, False), (Sensitive.SECURITY_CODE, False)}


def test_half_a_value_is_missed_and_a_wrong_kind_is_a_false_find(tmp_path: Path) -> None:
    counts, _ = compared(dialogue(tmp_path), [hides(Sensitive.CARD_NUMBER, 0, 1, 0, 3), hides(Sensitive.PHONE, 1, 0, 0, 1)])

    assert counts[Sensitive.CARD_NUMBER] == Counts(labelled=1, found=0, predicted=1, right=1)
    assert counts[Sensitive.PHONE] == Counts(predicted=1)


def test_card_data_must_be_hidden_as_card_data_other_kinds_by_anything(tmp_path: Path) -> None:
    counts, _ = compared(dialogue(tmp_path), [hides(Sensitive.EXPIRY_DATE, 0, 3, 5, 7), hides(Sensitive.CARD_NUMBER, 1, 3, 0, 3)])
    assert (counts[Sensitive.SECURITY_CODE].found, counts[Sensitive.EXPIRY_DATE].found) == (0, 1)

    counts, _ = compared(dialogue(tmp_path), [hides(Sensitive.CARD_NUMBER, 0, 3, 5, 7)])
    assert counts[Sensitive.SECURITY_CODE].found == 1
