"""The SQLite file itself: its engine, its faults, its schema and the steps that made it."""
