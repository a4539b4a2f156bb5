"""Walks over the whole product, and what they cost: octets, presses, every screen."""
