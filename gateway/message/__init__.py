"""Messages: from wire octets and server structures to values (RFC 5322, RFC 2045-2049).

Nothing here may raise for ugly mail: there is always a usable value, and `Message.defects` says what was
wrong. Three layers: `wire` (octets to a tree of parts), `headers`/`charset`/`body` (MIME to text), `model`.
"""
