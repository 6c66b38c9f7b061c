"""What a session is: contents, stamp, lifetime, identity, JSON, events."""
