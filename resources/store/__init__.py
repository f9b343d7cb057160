"""The store: everything the archive knows, in PostgreSQL. One module per use; each takes an open connection, the caller commits."""
