"""The MailStore over POP3: one mailbox, read and deleted from; mail is left on the server.

Only `connection` imports poplib.
"""
