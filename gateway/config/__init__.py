"""The administrator's TOML file: its options, its reader, and its values."""

from gateway.config.loading import Config, Upstream, load
from gateway.config.server import Server, Tls

__all__ = ["Config", "Server", "Tls", "Upstream", "load"]
