"""The command line. Every command is a thin call of what the API and the pipeline use too."""
