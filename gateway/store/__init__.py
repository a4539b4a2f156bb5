"""Message stores: IMAP now, more later. `base` says what a store is; `imap` and `pool` do it."""
