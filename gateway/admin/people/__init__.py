"""The panel's screens about people and what was done: accounts and sessions, sendings, slowed sign-ins, the audit."""
