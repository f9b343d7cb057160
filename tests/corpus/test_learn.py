"""The weights of the second reading are those of the dialogues as they are."""

import json

from domain.rules.rules import Kind
from resources.policies.rules import RULES, compliance_rules
from resources.policies.second_reading import FILE
from tests.corpus.learn import WHO, example, fitted_to
from tests.corpus.reading import SAID, dialogues


def test_the_weights_were_fitted_to_the_dialogues_of_today() -> None:
    assert json.loads((RULES / FILE).read_text())["about"]["fitted_to"] == fitted_to(), "python -m tests.corpus.learn fits them anew"


def test_it_learns_from_those_to_whom_the_rule_applies() -> None:
    rules = {rule.id: rule for rule in compliance_rules().rules if rule.kind is Kind.FORBID}
    assert set(rules) == set(SAID)
    assert all(rules[rule].who == who for rule, who in WHO.items())


def test_what_a_dialogue_says_is_its_label() -> None:
    found = [example(one) for one in dialogues("dev") if one.said is not None]
    assert sum(map(sum, (one.labels for one in found))) > 300
    assert any(not any(one.labels) for one in found)
