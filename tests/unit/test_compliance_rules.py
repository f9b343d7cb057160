"""Rules are read from files of a folder; a wrong one is told by file and place."""

import shutil
from pathlib import Path

import pytest

from resources.policies import WrongPolicy
from resources.policies.rules import RULES, compliance_rules

RULE = """
lists: {{fee: [fees, "a fee"]}}
rules:
  - id: fees
    version: "1"
    text: Fees are told.
    severity: minor
    citation: House rule
    effective_from: 2020-01-01
    kind: require
    window: {window}
    says: [{{who: [agent], patterns: ["{pattern}"]}}]
{more}
"""


def folder(path: Path, window: str = "{first_s: 60}", pattern: str = "@fee apply", more: str = "") -> Path:
    (path / "fees.yaml").write_text(RULE.format(window=window, pattern=pattern, more=more))
    return path


def test_a_folder_of_rules_is_read(tmp_path: Path) -> None:
    rules = compliance_rules(folder(tmp_path))
    assert [rule.id for rule in rules.rules] == ["fees"] and rules.version.startswith("fees=1+")


def test_any_change_of_a_file_changes_the_version(tmp_path: Path) -> None:
    copy = tmp_path / "rules"
    shutil.copytree(RULES, copy)
    before = compliance_rules(copy).version
    with (copy / "language.yaml").open("a") as file:
        file.write("\n# A remark.\n")
    compliance_rules.cache_clear()
    assert compliance_rules(copy).version != before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"pattern": "@fees apply"}, "fees.yaml, rules.fees.says.0.patterns.0: '@fees apply': there is no list @fees"),
        ({"pattern": "(fees apply"}, "fees.yaml, rules.fees.says.0.patterns.0: '(fees apply': ) is missing"),
        ({"window": "{before: price}"}, "fees.yaml, fees: there is no event price"),
        ({"window": "{first_s: 0}"}, "fees.yaml, rules.0.window._First.first_s: Input should be greater than 0"),
        ({"more": "    cues: [denied]"}, "fees.yaml, fees: there are no cues denied"),
        ({"more": "    effective_until: 2020-01-01"}, "fees.yaml, fees: effective_until 2020-01-01 is not after effective_from 2020-01-01"),
        ({"more": "    colour: red"}, "fees.yaml, rules.0.colour: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_file_is_told_by_its_place(tmp_path: Path, change: dict[str, str], told: str) -> None:
    with pytest.raises(WrongPolicy) as raised:
        compliance_rules(folder(tmp_path, **change))
    assert str(raised.value) == told


def test_the_same_name_in_two_files_is_told(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "more.yaml").write_text("lists: {fee: [charge]}")
    with pytest.raises(WrongPolicy, match=r"more\.yaml, fee: another file has it, too"):
        compliance_rules(tmp_path)


def test_a_folder_without_rules_is_told(tmp_path: Path) -> None:
    with pytest.raises(WrongPolicy, match="holds no rules"):
        compliance_rules(tmp_path)
