"""The commands of `pocketpost` that do more than start the gateway."""
