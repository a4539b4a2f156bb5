"""Signing in and out, and what is shown directly after it."""
