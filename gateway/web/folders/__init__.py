"""The screens for folders."""
