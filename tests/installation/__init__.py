"""From nothing to a phone that reads mail: the package, and the two ways that README and the panel offer."""
