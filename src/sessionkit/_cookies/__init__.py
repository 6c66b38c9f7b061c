"""Cookies: settings, the Cookie header, Set-Cookie lines, chunks, the fence, renewal, caching headers."""
