"""Blocks laid out as pages that fit a device; `pagination` knows no markup, `layout` measures with `gateway.markup`."""
