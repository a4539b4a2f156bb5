"""The message store over IMAP (RFC 9051, RFC 3501)."""
