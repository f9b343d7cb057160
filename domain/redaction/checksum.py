"""The checksum of card numbers."""


def passes_luhn(digits: str) -> bool:
    """Whether 13 to 19 digits have the checksum of a card number."""
    if not 13 <= len(digits) <= 19:
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
