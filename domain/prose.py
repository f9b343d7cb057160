"""Text that people and programs send, as the store can keep it. How long it may be is said where it is taken."""


def storable(text: str) -> str:
    """What PostgreSQL takes: no NUL, and no half of a surrogate pair, which JSON can spell both. Raises ValueError, without the text."""
    if "\0" in text:
        raise ValueError("must not have a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be text that can be written as UTF-8") from None
    return text
