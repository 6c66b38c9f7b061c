// A session store in memory, for the settings that ask for one: then the cookie is a signed session id.

function memory() {
  const records = new Map();
  return {
    get: async (id) => records.get(id),
    set: async (id, record) => void records.set(id, record),
    delete: async (id) => void records.delete(id),
    destroy: async (id) => void records.delete(id),
  };
}

export function withStore(options) {
  const { store, ...session } = options.session ?? {};
  return store === "memory" ? { ...options, session: { ...session, store: memory() } } : options;
}
