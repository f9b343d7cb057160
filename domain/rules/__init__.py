"""Compliance rules: what must and must not be said, judged over what was heard. Rules themselves are data, in resources.policies."""
