"""`make matrix`: every kind of mail server with every real client, and the whole job on every mail store."""
