"""Operations on messages (delete, move, copy, junk, flag, undo): their table and execution."""
