"""_requests."""
