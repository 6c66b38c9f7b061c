"""The key ring, and the native token that its keys seal."""
