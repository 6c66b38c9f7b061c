"""The command line, `python -m sessionkit`, and the demo."""
