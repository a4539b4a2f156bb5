"""Connections to mail servers: made before a deadline, read within limits, shared fairly."""
