from sessionkit.backends import MemoryBackend
from sessionkit.testing import backend_conformance

from .awaited import AwaitedMemory

TestMemoryBackend = backend_conformance(MemoryBackend, in_process=True)
TestAwaitedMemory = backend_conformance(AwaitedMemory, in_process=True)
