"""Pocketpost: a mail gateway for handhelds.

The way of a request, in the order in which it happens:

1. `device` learns from the request headers what this handheld can show.
2. `web` picks the screen.
3. `session` knows who asks, and lends
4. a `store` (IMAP) for the length of one request.
5. `message` is what came out of it.
6. `rendition` keeps what a small screen can use, as blocks.
7. `page` lays blocks into pages that fit, asking `markup` for the size.
8. `markup` says a page in WML or XHTML.
9. `wap` turns that into bytes (WBXML).

From 5 on, and 1, everything is pure: values in, values out; where laziness is wanted, an iterator in.
The doors to the network and the disk are few, named and small: `store`, `submission`, `state`, and
`config`, which reads its file. Imports run downwards only; `pyproject.toml` holds that as contracts.
"""

__version__ = "0.1.0"
