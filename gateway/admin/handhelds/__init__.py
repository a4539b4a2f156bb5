"""The handhelds that ask for pages, on the panel: what they are taken for, and what they get.

`seen_screens` lists and overrides them; `demo_gateway` runs a gateway of sample mail for a preview of their pages.
"""
