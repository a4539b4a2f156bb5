"""Plain text as blocks: wrapped lines, listings, quotations, armour, Markdown."""
