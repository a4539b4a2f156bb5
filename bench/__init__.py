"""The benchmark: what a page costs, beside the same fetches made straight over one warm IMAP connection."""
