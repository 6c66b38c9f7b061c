"""An async backend without a server."""

from sessionkit.backends import MemoryBackend


class AwaitedMemory:
    """A MemoryBackend with operations that are awaited."""

    waits = False

    def __init__(self, *, clock):
        self.memory = MemoryBackend(clock=clock)

    async def load(self, key, owner):
        return self.memory.load(key, owner)

    async def insert(self, record, since):
        return self.memory.insert(record, since)

    async def replace(self, record, version):
        return self.memory.replace(record, version)

    async def touch(self, key, owner, updated_at, expires_at):
        return self.memory.touch(key, owner, updated_at, expires_at)

    async def delete(self, key, owner):
        return self.memory.delete(key, owner)

    async def of(self, owner):
        return self.memory.of(owner)

    async def revoke(self, owner, at, keep):
        return self.memory.revoke(owner, at, keep)

    async def purge(self, now, limit):
        return self.memory.purge(now, limit)

    async def aclose(self):
        self.memory.close()

    async def warnings(self):
        return self.memory.warnings()
