"""Outgoing messages: replies, enclosures, and what a server accepts."""
