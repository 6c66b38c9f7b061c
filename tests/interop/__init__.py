"""Live tests against the JavaScript libraries whose session cookies we share, run under Node."""
