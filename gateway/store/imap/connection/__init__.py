"""The IMAP connection: imaplib's on a Wire, within limits, and signing in."""
