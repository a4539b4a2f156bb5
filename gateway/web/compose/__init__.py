"""The screens for writing mail."""
