"""Keys, and the native token that they seal."""
