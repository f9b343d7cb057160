"""What Dagster runs: definitions, jobs, sensors, and the instance's dagster.yaml."""
