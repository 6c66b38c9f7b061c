"""The three engines, each driven in its own way behind one interface: `open_engine(name)`, then `open_window(url)`."""

from .chromium import open_chromium
from .firefox import open_firefox
from .interface import PATIENCE, Engine, Tab, Window
from .webkit import open_webkit

__all__ = ["OPENERS", "PATIENCE", "Engine", "Tab", "Window"]

OPENERS = {"chromium": open_chromium, "firefox": open_firefox, "webkit": open_webkit}
