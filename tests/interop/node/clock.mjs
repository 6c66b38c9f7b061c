// The libraries' clock: each request says what time it is, so that both sides judge one moment.
// They ask in three ways, `Date.now()`, `new Date()` and `Date()`; all of them are this class's.

const RealDate = globalThis.Date;
let milliseconds = 0;

class Clock extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(milliseconds);
    else super(...args);
  }

  static now() {
    return milliseconds;
  }
}

export function setClock(seconds) {
  milliseconds = seconds * 1000;
}

globalThis.Date = Clock;
