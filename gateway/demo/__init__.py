"""A real IMAP and a real SMTP server inside one process, with a sample mailbox."""
