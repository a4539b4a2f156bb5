"""Phones of WAP 1.x as other programs have them: a WAP gateway, its test phone, and a session of our own."""
