"""Messages as values, read from raw octets or from a server's structures (RFC 5322, RFC 2045-2049).

Nothing here may raise for malformed mail: there is always a usable value, and `Message.defects` says what was
wrong. Layers, each importing only those after it: `outgoing` and `vcard` write, `mime` reads parts and
bodies, `headers` reads and writes header fields, `charset` decodes text, `model` has the values.
"""
