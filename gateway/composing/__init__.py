"""Composing a mail: what it is based on, what was typed, how it is assembled, and its copy in Drafts.

Nothing here may know a screen or a device, or speak SMTP: `sending` does that. This package is above `sending`, and
separate from it, because quoting a message takes `rendition`, which `sending` must not know.
"""
