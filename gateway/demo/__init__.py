"""The demo: real IMAP, POP3 and SMTP servers in one process, with a sample mailbox."""
