"""Signing in and out, what is shown directly after it, and files that need no session."""
