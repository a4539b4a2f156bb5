"""Which URLs may leave a message, and where they lead."""
