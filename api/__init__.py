"""The HTTP side: LiveKit's webhooks, search, pages, health. Never imports the assets."""
