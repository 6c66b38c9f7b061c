"""What several attacks have in common."""

NAME, SEEN, FENCE = "__Host-session", "__Host-seen.session", "__Host-out.session"


CAROL = {"user": {"sub": "carol", "iss": "https://issuer.example"}}
