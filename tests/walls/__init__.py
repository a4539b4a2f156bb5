"""The walls of docs/security.md: each has a test that fails without it, and `make walls` takes each away to see."""
