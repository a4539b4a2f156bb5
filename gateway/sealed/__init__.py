"""Encrypted storage: the vault, an account's memory, saved forms, link ids, the send journal."""
