"""_frameworks."""
