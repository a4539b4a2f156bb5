"""The parts of a message, from raw octets or a server's BODYSTRUCTURE, and their bodies (RFC 2045-2049)."""
