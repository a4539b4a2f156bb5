"""Header fields, read and written (RFC 5322, RFC 2047, RFC 2231)."""
