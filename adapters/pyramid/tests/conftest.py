"""WebOb imports `cgi`, of which Python 3.11 and 3.12 warn: no matter of these tests."""

import importlib
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    importlib.import_module("pyramid.router")
