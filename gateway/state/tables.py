"""What the tables of this room share: one MetaData, so that they can be compared with the migrations.

Nothing here may hold a table of its own.
"""

from __future__ import annotations

from sqlalchemy import MetaData

METADATA = MetaData()
