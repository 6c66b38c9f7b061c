"""Code that several adapters share: session objects, guards, settings of frameworks."""
