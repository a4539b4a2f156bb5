"""The administrator's panel: screens, health and metrics, on a listener of their own.

It is above the application, since it shows and changes the running gateway; nothing below may know it.
"""
