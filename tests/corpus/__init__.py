"""Dialogues labelled by hand, and the scores of the rules over them. README.md beside this file tells the format."""
