"""What only one side of a consultation says: the last resort for naming a voice in a mix.

Each cue is a phrase and how strongly it points to a role. Rules about what must or must not be said belong elsewhere.
"""

import re
from collections.abc import Iterable

from domain.parties import Party

_STAFF = frozenset({Party.AGENT, Party.ASSISTANT})
_CUSTOMER = frozenset({Party.CUSTOMER})
_TRAINER = frozenset({Party.AGENT, Party.ADMIN})

_CUES: tuple[tuple[str, frozenset[Party], float], ...] = (
    (r"(call|consultation|session) (is|may be|will be|is being) (being )?recorded", _STAFF, 2.0),
    (r"(do|would) you (consent|agree) to (being|the|this)", _STAFF, 2.0),
    (r"(permission|okay|ok) (to record|if (we|i) record)", _STAFF, 1.5),
    (r"(how|what) (can|may) (i|we) (help|do for) you|how may i help", _STAFF, 2.0),
    (r"thank you for (calling|your consent)|thanks for calling", _STAFF, 2.0),
    (r"(is there )?anything else i can (help|do)", _STAFF, 2.0),
    (r"(connecting|transfer(ring)?) you (to|with)", _STAFF, 1.5),
    (r"your (claim|policy|account|quote|premium|payment|deductible|certificate)\b", _STAFF, 0.7),
    (r"(can|could|may) (i|you) (have|give me|tell me|spell|confirm) your", _STAFF, 1.0),
    (r"let me (check|look)|i (have|can) (found|see) your|i will send you|you will receive", _STAFF, 1.0),
    (r"(virtual|automated|insurance|a ?i) assistant", frozenset({Party.ASSISTANT}), 2.5),
    (r"licensed agent|specialist with|i am your agent", frozenset({Party.AGENT}), 1.5),
    (r"i (would like|want|need) (a quote|to (file|report|cancel|make|change|speak|talk|know))|i would like a quote", _CUSTOMER, 2.0),
    (r"i('d| would) like (a|to) (quote|cancel|change|file)|i need (a|to)\b", _CUSTOMER, 1.5),
    (r"\bmy (policy|claim|card|account|phone|date of birth|event|social security|last name)\b", _CUSTOMER, 1.0),
    (r"i (do not|don't) consent|i consent|i agree|you may record|i withdraw|i changed my mind", _CUSTOMER, 1.5),
    (r"(there was|had) an accident|when will i be paid|how much (does|would|is)", _CUSTOMER, 1.0),
    (r"welcome to the (partner )?training|are there any questions|the next session", _TRAINER, 1.5),
    (r"how do we integrate|how are commissions|on our website", frozenset({Party.PARTNER}), 1.5),
)
_COMPILED = tuple((re.compile(pattern), roles, weight) for pattern, roles, weight in _CUES)


def role_scores(text: str, roles: Iterable[Party]) -> dict[Party, float]:
    """How strongly ``text`` points to each of ``roles``; repeating one phrase adds nothing. ``text`` is spoken words, any case."""
    plain = " ".join(re.sub(r"[^a-z' ]", " ", text.lower()).split())
    scores = dict.fromkeys(roles, 0.0)
    for pattern, said_by, weight in _COMPILED:
        if pattern.search(plain):
            for role in scores:
                if role in said_by:
                    scores[role] += weight
    return scores
