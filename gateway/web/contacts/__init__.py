"""The screens of the address book."""
