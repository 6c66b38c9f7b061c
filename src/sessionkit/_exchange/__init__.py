"""One request's session without I/O: cookies to session, session to cookies."""
