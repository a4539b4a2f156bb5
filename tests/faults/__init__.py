"""One fault injected at each response of a conversation with the mail server, for what a person does most."""
