"""Policies: dated data that a business's counsel can read and change, as YAML beside this file. What follows from it is decided in domain."""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.consent import ConsentRule, ConsentTable, PlaceRule
from domain.quarantine import Fate, WithoutConsent

RECORDING_CONSENT = Path(__file__).parent / "recording_consent.yaml"
TRAINING_DISCLOSURE = Path(__file__).parent / "training_disclosure.yaml"
WITHOUT_CONSENT = Path(__file__).parent / "without_consent.yaml"
Read = TypeVar("Read", bound=BaseModel)


class WrongPolicy(Exception):
    """A policy file cannot be used. ``str()`` names the file, the place in it, and what is wrong."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Place(_Strict):
    place: str = Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")
    rule: ConsentRule
    citation: str = Field(min_length=1)
    effective_from: date
    effective_until: date | None = None
    note: str | None = None


class _Default(_Strict):
    rule: ConsentRule
    citation: str


class _Staff(_Strict):
    consent: str = Field(pattern="^(prior|asked)$")
    citation: str


class _OneParty(_Strict):
    citation: str = Field(min_length=1)
    effective_from: date
    effective_until: date | None = None
    places: list[str]


class _RecordingConsent(_Strict):
    version: str
    default: _Default
    staff: _Staff
    jurisdictions: list[_Place]
    one_party: _OneParty


class _Disclosure(_Strict):
    version: str = Field(min_length=1, max_length=80)
    text: str = Field(min_length=1)


class _WithoutConsent(_Strict):
    version: str = Field(min_length=1, max_length=80)
    declined: Fate
    revoked: Fate
    unknown: Fate
    after_withdrawal: Fate
    grace_days: int = Field(ge=0, le=3650)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Words that somebody is asked with. ``version`` names them exactly: it ends in a digest of the file."""

    version: str
    text: str


def training_disclosure(path: Path = TRAINING_DISCLOSURE) -> Disclosure:
    """What is told before a training. Raises WrongPolicy."""
    body, read = _read(path, _Disclosure)
    return Disclosure(_versioned(read.version, body), read.text)


def recording_consent(path: Path = RECORDING_CONSENT) -> ConsentTable:
    """The table of a file. Its version is the declared one and a digest of the content, so that no change goes unseen. Raises WrongPolicy."""
    body, read = _read(path, _RecordingConsent)
    if read.default.rule is not ConsentRule.ALL_PARTY:
        raise WrongPolicy(f"{path.name}, default.rule: a place that is not listed can only count as all_party")
    one = read.one_party
    rules = [PlaceRule(p.place, p.rule, p.citation, p.effective_from, p.effective_until) for p in read.jurisdictions]
    rules += [PlaceRule(place, ConsentRule.ONE_PARTY, one.citation, one.effective_from, one.effective_until) for place in one.places]
    _require_dates(path, rules)
    return ConsentTable(_versioned(read.version, body), tuple(rules), staff_asked=read.staff.consent == "asked")


def without_consent(path: Path = WITHOUT_CONSENT) -> WithoutConsent:
    """What becomes of recordings without consent. Raises WrongPolicy."""
    body, read = _read(path, _WithoutConsent)
    grace = timedelta(days=read.grace_days)
    return WithoutConsent(_versioned(read.version, body), read.declined, read.revoked, read.unknown, read.after_withdrawal, grace)


def _versioned(version: str, body: bytes) -> str:
    return f"{version}+{hashlib.sha256(body).hexdigest()[:12]}"


def _read(path: Path, shape: type[Read]) -> tuple[bytes, Read]:
    """(the file's bytes, what they say). Raises WrongPolicy."""
    try:
        body = path.read_bytes()
        return body, shape.model_validate(yaml.safe_load(body))
    except OSError as error:
        raise WrongPolicy(f"{path.name} cannot be read: {type(error).__name__}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise WrongPolicy(f"{path.name} is no YAML" + (f", line {mark.line + 1}" if mark else "")) from None
    except ValidationError as error:
        first = error.errors()[0]
        raise WrongPolicy(f"{path.name}, {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _require_dates(path: Path, rules: list[PlaceRule]) -> None:
    for rule in rules:
        if rule.until is not None and rule.until <= rule.since:
            raise WrongPolicy(f"{path.name}, {rule.place}: effective_until {rule.until} is not after effective_from {rule.since}")
    for before, after in pairwise(sorted(rules, key=lambda rule: (rule.place, rule.since))):
        if before.place == after.place and (before.until is None or before.until > after.since):
            raise WrongPolicy(f"{path.name}, {after.place}: two entries count on {after.since}")
