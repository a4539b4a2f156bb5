"""The configuration on the panel's screens: every option as a field of a form, and the file that the forms change.

The file stays the truth: a form shows what is in it, and what is saved is what the gateway's own parser accepts.
"""
