"""The data of one account: profile, correspondents, address book, export."""
