"""The demo: a real IMAP and a real SMTP server in one process, with a sample mailbox."""
