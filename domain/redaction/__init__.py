"""Redaction: which words are personal or card data, what stands in their place, and which stretches of sound are muted."""
