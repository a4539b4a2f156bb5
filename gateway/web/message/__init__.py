"""The screens of one message, and of operations on messages."""
