"""Step-by-step checks of mail servers, for `pocketpost check`, `upstream find` and the panel."""
