"""Styles of HTML mail: what CSS says about sizes, colours, fonts and whether something is visible."""
