"""The MetaData that all tables share, so that a test can compare them with the migrations.

Nothing here may hold a table of its own.
"""

from __future__ import annotations

from sqlalchemy import MetaData

METADATA = MetaData()
