"""Rules and shapes of a consultation archive. No I/O: nothing here opens a file, a socket or reads the clock."""
