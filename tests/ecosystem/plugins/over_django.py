"""A pytest plugin, before pytest-django: the settings of a package's tests, with our session in the place of Django's.

`SETTINGS` names the module of the settings.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from django.contrib.sessions import middleware

from sessionkit.backends import MemoryBackend
from sessionkit_django import SessionMiddleware

SECRET = "the tests of other packages: 0123456789abcdefghijklmnopqrstuvwxyz"


def pytest_load_initial_conftests(early_config: Any, parser: Any, args: list[str]) -> None:
    sys.path.insert(0, str(Path.cwd()))
    module = ModuleType("settings_of_the_run")
    sys.modules[module.__name__] = module
    module.__dict__.update(_settings())
    os.environ["DJANGO_SETTINGS_MODULE"] = module.__name__
    if os.environ["SESSIONS"] != "framework":
        # Tests name Django's middleware, in settings of their own and by import.
        middleware.SessionMiddleware = SessionMiddleware


pytest_load_initial_conftests.pytest_impl = {"tryfirst": True}


def _settings() -> dict[str, Any]:
    given = vars(import_module(os.environ["SETTINGS"]))
    settings = {name: value for name, value in given.items() if name.isupper()}
    settings.setdefault("PASSWORD_HASHERS", ["django.contrib.auth.hashers.MD5PasswordHasher"])
    if os.environ["SESSIONS"] == "framework":
        return settings
    settings["INSTALLED_APPS"] = [*settings["INSTALLED_APPS"], "sessionkit_django"]
    settings["SESSION_ENGINE"] = "sessionkit_django.engine"
    settings["SESSIONKIT"] = {"secret": SECRET}
    if os.environ["SESSIONS"] == "backend":
        settings["SESSIONKIT"]["backend"] = MemoryBackend()
    return settings
