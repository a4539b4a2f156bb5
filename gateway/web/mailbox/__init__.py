"""The list screens: mailboxes, search results, the menu."""
