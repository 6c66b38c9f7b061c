// An instance for each set of settings, made once.

export function kept(make) {
  const made = new Map();
  return (options) => {
    const key = JSON.stringify(options);
    if (!made.has(key)) made.set(key, make(options));
    return made.get(key);
  };
}
