"""The handhelds that request pages, on the panel: what they are identified as, and what they get.

`seen_screens` lists and overrides them; `demo_gateway` runs a gateway with sample mail to preview their pages.
"""
