"""Access: sign-in and its throttle, sessions, mailbox ids, and idempotent POST requests."""
