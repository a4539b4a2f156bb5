"""The configuration on the panel's screens: every option as a form field, and the file that the forms change.

The file is authoritative: a form shows its contents, and only what the gateway's own parser accepts is saved.
"""
