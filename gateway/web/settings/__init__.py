"""The screens for the user's settings."""
