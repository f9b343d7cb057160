"""What a person types to find something said: its grammar and its meaning. Finding it belongs to resources.search."""

from domain.search.errors import QuerySyntaxError
from domain.search.grammar import parse
from domain.search.matching import Spoken, matched, words_of
from domain.search.nodes import And, DateRange, Node, Not, Or, Phrase, Speaker, Type, Word, render
from domain.search.tokens import Token, normalised, tokens

__all__ = [
    "And",
    "DateRange",
    "Node",
    "Not",
    "Or",
    "Phrase",
    "QuerySyntaxError",
    "Speaker",
    "Spoken",
    "Token",
    "Type",
    "Word",
    "matched",
    "normalised",
    "parse",
    "render",
    "tokens",
    "words_of",
]
