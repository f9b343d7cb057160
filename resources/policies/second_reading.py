"""Reads the weights of the second reading, which stand beside the rules. What follows from them is decided in domain.rules.second_reading."""

import json
from typing import Annotated

from pydantic import Field, ValidationError

from domain.rules.second_reading import SecondReading, Thresholds
from resources.policies import WrongPolicy, _Strict

FILE = "second_reading.json"
Probability = Annotated[float, Field(ge=0, le=1)]


class _File(_Strict):
    about: dict[str, str] = Field(default_factory=dict)
    bias: dict[str, float]
    thresholds: dict[str, tuple[Probability, Probability]]
    weights: dict[str, dict[str, float]]


def second_reading(body: bytes, name: str) -> SecondReading:
    """``name`` is told in errors. Raises WrongPolicy."""
    try:
        file = _File.model_validate(json.loads(body))
    except (ValueError, ValidationError) as error:
        raise WrongPolicy(f"{name}: {error.errors()[0]['msg'] if isinstance(error, ValidationError) else 'it is no JSON'}") from None
    classes = tuple(file.bias)
    if set(file.thresholds) != set(classes) or not {rule for row in file.weights.values() for rule in row} <= set(classes):
        raise WrongPolicy(f"{name}: thresholds and weights are of other rules than bias")
    place = {rule: number for number, rule in enumerate(classes)}
    return SecondReading(
        classes,
        tuple(file.bias.values()),
        {rule: Thresholds(least, most) for rule, (least, most) in file.thresholds.items()},
        {feature: tuple((place[rule], weight) for rule, weight in row.items()) for feature, row in file.weights.items()},
    )
