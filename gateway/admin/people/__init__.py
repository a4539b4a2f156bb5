"""The panel's screens about people and past actions: accounts and sessions, sendings, slowed sign-ins, the audit."""
