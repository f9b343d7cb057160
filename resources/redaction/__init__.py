"""Redaction: Presidio's recognisers over the words of a call, and what they find as redactions of those words.

Everything comes from installed packages: no model is loaded and nothing is fetched. What a number is by its context, placeholders and
muting belong to domain.redaction.
"""
