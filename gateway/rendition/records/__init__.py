"""Machine-written data as rows: invitations, contacts, reports."""
