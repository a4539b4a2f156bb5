"""`make corpus`: messages that are not in the repository, rendered for three devices and judged by independent
means."""
