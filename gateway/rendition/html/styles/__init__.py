"""Styles of HTML mail: what CSS says of sizes, colours, fonts and whether something can be seen."""
