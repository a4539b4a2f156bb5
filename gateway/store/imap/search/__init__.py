"""Searches: what a person looks for as IMAP commands, and lists in other orders, filtered or in threads."""
