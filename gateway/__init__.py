"""Pocketpost: a mail gateway for handhelds.

The path of a request, step by step (docs/architecture.md follows one with its details):

1. `server` accepts the connection and passes the request to the WSGI app that `app` assembles.
2. `device` identifies the handheld, and what it can show, from the request headers.
3. `web` resumes the person's session (`access`) and calls the screen that the route names.
4. The session leases a message store (`store`, IMAP or POP3 over `upstreams`) for the length of the request.
5. `message` turns octets and server structures into values.
6. `rendition` keeps what a small screen can use, as blocks.
7. `pages` lays out blocks as pages that fit, measuring them with `markup`.
8. `markup` writes the page as WML or XHTML.
9. `wap` compiles WML to WBXML where the device wants it compiled, and to measure it.

Steps 2 and 5 to 9 are pure: values in, values out; an iterator in where laziness is wanted. The modules that reach the
network or the disk are few, named and small: `server`, `store`, `submission`, `outbound`, `state`, `confined`, and
`config`, which reads its file. Imports run only downwards; contracts in `pyproject.toml` enforce that.
"""

__version__ = "0.1.0"
