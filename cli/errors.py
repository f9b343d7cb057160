"""Errors of the command line that a person can mend."""


class Refused(Exception):
    """Something that was asked for is not done. ``str()`` says why."""
