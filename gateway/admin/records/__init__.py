"""What the gateway's own records say, and what an administrator does to them: one owner for the panel and the shell."""
