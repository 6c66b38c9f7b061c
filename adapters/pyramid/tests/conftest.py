"""WebOb imports `cgi`, and Pyramid `pkg_resources`: those warn that they will be gone, which is no matter of these tests."""

import importlib
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    importlib.import_module("pyramid.router")
