"""The only HTTP client: one request over one connection, to where a `Reach` lets it go, with one overall deadline.

`reach` decides about addresses, `http1_exchange` speaks HTTP/1.1, `client` joins them. Nothing here may follow a
redirect, store anything, reveal who asks, or read more of a response than the caller has room for.
"""

from gateway.outbound.client import Outbound
from gateway.outbound.http1_exchange import Response
from gateway.outbound.reach import ListedOrigins, Public, is_public

__all__ = ["ListedOrigins", "Outbound", "Public", "Response", "is_public"]
