"""What an administrator sees of the running gateway: its health, the mail servers' health, counts, the log."""
