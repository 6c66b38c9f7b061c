"""The cases of the conformance suite, by number: the contract of a backend. Each docstring is a rule."""
