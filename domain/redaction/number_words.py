"""The English words for digits, numbers, months and days, and what speech recognition writes in their place. Reading them: spoken_numbers."""


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DIGITS = {
    "zero": "0",
    "nought": "0",
    "naught": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "niner": "9",
}

OH = frozenset({"oh", "o"})
"""Zero where digits stand beside it, an exclamation or a letter anywhere else."""

TEENS = {
    "ten": "10",
    "eleven": "11",
    "twelve": "12",
    "thirteen": "13",
    "fourteen": "14",
    "fifteen": "15",
    "sixteen": "16",
    "seventeen": "17",
    "eighteen": "18",
    "nineteen": "19",
}

TENS = {
    "twenty": "20",
    "thirty": "30",
    "forty": "40",
    "fourty": "40",
    "fifty": "50",
    "sixty": "60",
    "seventy": "70",
    "eighty": "80",
    "ninety": "90",
}

SCALES = {
    "hundred": 100,
    "hundreds": 100,
    "thousand": 1000,
    "thousands": 1000,
    "grand": 1000,
    "million": 1_000_000,
    "billion": 1_000_000_000,
}

TIMES = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}

PLURALS = {
    "zeros": "0",
    "zeroes": "0",
    "ohs": "0",
    "ones": "1",
    "twos": "2",
    "threes": "3",
    "fours": "4",
    "fives": "5",
    "sixes": "6",
    "sevens": "7",
    "eights": "8",
    "nines": "9",
}
"""What "three sevens" and "two ohs" repeat."""

HOMOPHONES = {
    "won": "1",
    "wan": "1",
    "wun": "1",
    "juan": "1",
    "to": "2",
    "too": "2",
    "tu": "2",
    "tew": "2",
    "tree": "3",
    "free": "3",
    "for": "4",
    "fore": "4",
    "fur": "4",
    "fife": "5",
    "fives": "5",
    "hive": "5",
    "fire": "5",
    "find": "5",
    "heaven": "7",
    "aid": "8",
    "sex": "6",
    "sicks": "6",
    "sics": "6",
    "sick": "6",
    "ate": "8",
    "ait": "8",
    "eight's": "8",
    "nein": "9",
    "nigh": "9",
    "line": "9",
    "mine": "9",
    "owe": "0",
    "hero": "0",
    "xero": "0",
}
"""Words that sound like a digit: digits only among digits."""

EVERYDAY = frozenset({"to", "too", "for", "free", "line", "mine", "sick", "find"})
"""Homophones that stand between numbers for their own sake ("nine to five", "two for one"), and so need more digits about them."""

MONTHS = {
    "january": 1,
    "jan": 1,
    "february": 2,
    "feb": 2,
    "march": 3,
    "mar": 3,
    "april": 4,
    "apr": 4,
    "may": 5,
    "june": 6,
    "jun": 6,
    "july": 7,
    "jul": 7,
    "august": 8,
    "aug": 8,
    "september": 9,
    "sept": 9,
    "sep": 9,
    "october": 10,
    "oct": 10,
    "november": 11,
    "nov": 11,
    "december": 12,
    "dec": 12,
}

UNSURE_MONTHS = frozenset({"may", "march", "mar", "august"})
"""Months that are words of their own: months only beside a number."""

HOLIDAYS = words(
    "christmas xmas christmas's halloween valentine valentines valentine's easter thanksgiving independence hanukkah st saint "
    "patrick patrick's patricks paddy's patty's new year years year's groundhog leap labor memorial veterans boxing fools fool's "
    "cinco mayo juneteenth solstice midsummer "
)
"""Days that are told by their name. Some are words of their own: only beside a date."""

ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
    "eleventh": 11,
    "twelfth": 12,
    "thirteenth": 13,
    "fourteenth": 14,
    "fifteenth": 15,
    "sixteenth": 16,
    "seventeenth": 17,
    "eighteenth": 18,
    "nineteenth": 19,
    "twentieth": 20,
    "thirtieth": 30,
}

NUMBER_WORDS = frozenset(DIGITS) | frozenset(TEENS) | frozenset(TENS) | frozenset(TIMES) | frozenset(ORDINALS)
"""What a hyphenated word is split for: "forty-one", "three-digit", "twenty-third"."""
