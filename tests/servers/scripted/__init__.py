"""Servers and proxies that say what a test tells them to, each in a few lines on one listener."""
