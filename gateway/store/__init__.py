"""Message stores: `base` is the interface, `imap` implements it, `pool` keeps connections."""
