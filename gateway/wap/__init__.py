"""WAP 1.x, sans I/O. Nothing here may import any other code of ours: it could be a library of its own."""
