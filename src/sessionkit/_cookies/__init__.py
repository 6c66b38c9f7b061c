"""_cookies."""
