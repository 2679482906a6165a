import type { SpanHandle, SpanStart, TracerPlugin } from '@tracewell/plugin';

function fail(): never {
  throw new Error('this plugin always throws');
}

/** A plugin that breaks the first promise of the contract at every call. */
export function throwingPlugin(): Required<TracerPlugin> {
  return {
    name: 'throwing',
    startSpan: fail,
    setAttribute: fail,
    setStatus: fail,
    addEvent: fail,
    endSpan: fail,
    updateName: fail,
    addLink: fail,
    spanContext: fail,
    flush: async () => {},
    flushSync: () => {},
    shutdown: async () => {},
    stats: fail,
  };
}

/** The seven methods and nothing else; remembers what it was called with. */
export class MinimalPlugin implements TracerPlugin {
  readonly name: string;
  readonly calls: [operation: string, ...args: unknown[]][] = [];
  readonly starts: SpanStart[] = [];
  #last = 0;

  constructor(name = 'minimal') {
    this.name = name;
  }

  startSpan(start: SpanStart): SpanHandle {
    this.starts.push(start);
    this.calls.push(['startSpan', start.name]);
    this.#last += 1;
    return this.#last;
  }
  setAttribute(...args: unknown[]): void {
    this.calls.push(['setAttribute', ...args]);
  }
  setStatus(...args: unknown[]): void {
    this.calls.push(['setStatus', ...args]);
  }
  addEvent(...args: unknown[]): void {
    this.calls.push(['addEvent', ...args]);
  }
  endSpan(span: SpanHandle): void {
    this.calls.push(['endSpan', span]);
  }
  async flush(): Promise<void> {
    this.calls.push(['flush']);
  }
}
