"""What a session is: contents, stamp, lifetime, identity, JSON, and the events a store tells of."""
