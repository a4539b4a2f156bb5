"""What an administrator sees of the running gateway: its health and that of the mail servers, counts, the log."""
