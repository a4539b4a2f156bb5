"""The WAP gateway of the phones."""

from tests.devices.conftest import kannel

__all__ = ["kannel"]
