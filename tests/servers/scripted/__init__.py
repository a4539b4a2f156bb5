"""Servers and proxies that say what a test has them say, each a few lines on one listener."""
