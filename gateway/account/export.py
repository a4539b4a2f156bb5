"""Everything stored about one person, for that person to download.

Nothing here may omit stored data that can be decrypted, or reveal a password.
"""

from __future__ import annotations

from typing import Any

from gateway.access.session import Session


def everything(session: Session) -> dict[str, Any]:
    """Return everything stored about the person that can be decrypted, as JSON values."""
    forms = session.saved_forms.all(session.token, session.account)
    return {
        "address": session.address,
        "memory": session.memory.everything(),
        "sendings": session.journal.everything(),
        "tables": session.state.accounts.rows(session.account),
        "kept texts": [{"page": form.path, "fields": dict(form.fields)} for form in forms],
    }
