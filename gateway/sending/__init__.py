"""Exactly-once sending: the outbox, the steps of one sending, and the copies in Drafts and Sent."""
