"""Message stores: `base` is the interface, `imap` and `pop3` implement it, `pool` keeps connections."""
