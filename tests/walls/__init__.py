"""The walls of docs/security.md: each has a test that fails without it, and `make walls` removes each to prove it."""
