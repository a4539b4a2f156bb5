"""Charsets: decoding octets to text."""
