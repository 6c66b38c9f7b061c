"""The session: its contents and stamp, lifetime, identity, JSON, the comparison of contents, events."""
