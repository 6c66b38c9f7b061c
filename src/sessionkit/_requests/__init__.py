"""Which request is this? Views of environ, scope and framework objects; the current request; responses."""
