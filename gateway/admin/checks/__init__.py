"""What `pocketpost check`, `upstream find` and the panel find out about mail servers, step by step."""
