"""Find the request and its exchange: views of environ, scope and framework objects, the context variable, responses."""
