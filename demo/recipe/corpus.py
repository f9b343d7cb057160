"""What the demo model learns to hear: sentences.txt with its slots filled in, and words in no order so that it listens rather than guesses."""

import random
from pathlib import Path

from demo.recipe.calls import CALLS

HERE = Path(__file__).parent
VOICES = ("slt", "rms", "awb")
TEMPLATES = (HERE / "sentences.txt").read_text().splitlines()
WORDS = (HERE / "words.txt").read_text().split()
DIGITS = "zero one two three four five six seven eight nine".split()

SLOTS = {
    "first": "James Mary Robert Patricia John Jennifer Michael Linda David Susan Daniel Lisa Anthony Emily Joshua Sarah Carlos Karen Kevin Helen Brian Laura".split(),
    "last": "Smith Johnson Williams Brown Jones Garcia Miller Davis Martinez Wilson Taylor Moore Jackson Lee Thompson Harris Clark Walker Young King".split(),
    "event": "fun run|yoga class|wedding|birthday party|concert|marathon|food festival|surf school|ski trip|bike rental|kayak rental|climbing wall|boxing class|corporate retreat|soccer tournament|zip line tour|trampoline park".split(
        "|"
    ),
    "cover": "general liability|accident medical|equipment damage|event cancellation|participant accident|property damage|liquor liability|personal injury|spectator liability|weather cancellation".split(
        "|"
    ),
    "city": "Boston|Denver|Austin|Seattle|Chicago|Miami|Phoenix|Portland|Atlanta|Dallas|San Diego|Nashville|Orlando|Detroit|Houston|Las Vegas".split(
        "|"
    ),
    "month": "January February March April May June July August September October November December".split(),
    "day": "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth".split(),
    "weekday": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "number": "two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|twenty five|thirty|forty|fifty|sixty|ninety|one hundred|two hundred|five hundred|one thousand".split(
        "|"
    ),
    "injury": "broken wrist|sprained ankle|twisted knee|head injury|cut on the arm|dislocated shoulder|back injury|concussion|bruised rib".split(
        "|"
    ),
}
GROUP = 4
"""People read card numbers in groups of four."""


def sentence(rng: random.Random) -> str:
    parts = rng.choice(TEMPLATES).split("{")
    for i, part in enumerate(parts[1:], 1):
        slot, _, rest = part.partition("}")
        parts[i] = _fill(slot, rng) + rest
    said = "".join(parts)
    return said[0].upper() + said[1:]


def utterance(rng: random.Random, of_calls: float = 0.0) -> str:
    """One to three sentences, or loose words; with the chance ``of_calls`` a line of the demo calls or a part of one."""
    if rng.random() < of_calls:
        line = rng.choice(LINES)
        return line if rng.random() < 0.7 else rng.choice(sentences_of(line))
    kind = rng.random()
    if kind < 0.12:
        return " ".join(rng.choice(WORDS) for _ in range(rng.randint(3, 9)))
    return " ".join(sentence(rng) for _ in range(1 if kind < 0.7 else 2 if kind < 0.9 else 3))


def digits(rng: random.Random, count: int) -> str:
    read = [rng.choice(DIGITS) for _ in range(count)]
    return " ".join(read)


def _fill(slot: str, rng: random.Random) -> str:
    if slot == "card":
        return (", " if rng.random() < 0.7 else " ").join(digits(rng, GROUP) for _ in range(rng.choice([2, 4])))
    if slot.startswith("digits"):
        return digits(rng, int(slot.removeprefix("digits")))
    return rng.choice(SLOTS[slot])


def sentences_of(line: str) -> list[str]:
    marked = line
    for end in ".?!":
        marked = marked.replace(f"{end} ", f"{end}|")
    return marked.split("|")


LINES = [line.text for call in CALLS for line in call.lines]
