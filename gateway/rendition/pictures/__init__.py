"""Pictures, reduced to what one screen can show."""
