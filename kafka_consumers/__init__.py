"""The stream processors: from the event log to everything that is learned, each event once."""
