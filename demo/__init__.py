"""The demo: calls that were spoken for it, a speech model that understands them, and the program that sends them through the front door."""
