"""HTML to blocks that have no position yet."""
