"""The screens for the person's settings."""
