"""What is stored about the people who sign in: accounts, sessions, settings, and what their pages refer to."""
