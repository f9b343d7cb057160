"""The outside world in plain classes: PostgreSQL, object storage, search, speech, media, LiveKit. No Dagster, no FastAPI."""
