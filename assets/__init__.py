"""The Dagster assets: each loads what it needs, lets the domain decide, saves, and reports. Never imports the API."""
