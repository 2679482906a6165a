import type { AgentOptions } from 'node:https';

/*
 * Posting without an event loop, which is gone when a process exits: a process of its own does it, and this one
 * waits. Everything goes there through its standard input, where neither `ps` nor `/proc` shows it.
 *
 * A worker thread is ready no sooner (45 ms either way), and shares what may be the reason for the exit, such as a
 * full heap.
 */

/** What a child process needs to know to post one request. */
export interface ExitRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly agent: AgentOptions;
  readonly body: Uint8Array;
  /** What is read of the answer. */
  readonly maxAnswerBytes: number;
}

/** The answer to an {@link ExitRequest}, or why there is none. */
export type ExitOutcome =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly retryAfter: string | undefined;
      readonly contentType: string | undefined;
      readonly body: Buffer;
    }
  /** The request failed. */
  | { readonly kind: 'error'; readonly code: unknown; readonly name: string; readonly message: string }
  | { readonly kind: 'timeout' }
  /** There was no process that could have posted, or it came to harm; `why` is for people. */
  | { readonly kind: 'no-process'; readonly why: string };

/*
 * A string, because nothing else is there as it is when an application was bundled: neither a file beside this
 * one, nor the source of a function, in which some bundlers leave calls of helpers. It runs as CommonJS, which
 * starts faster than a module.
 */
const SCRIPT = `
const { deserialize, serialize } = require('node:v8');
const input = [];
process.stdin.on('data', (chunk) => input.push(chunk)).on('end', () => {
  const { url, headers, agent, body, maxAnswerBytes } = deserialize(Buffer.concat(input));
  const tell = (outcome) => process.stdout.write(serialize(outcome), () => process.exit());
  const fail = ({ code, name, message }) => tell({ kind: 'error', code, name, message });
  try {
    const { Agent, request } = require(new URL(url).protocol === 'https:' ? 'node:https' : 'node:http');
    request(url, { method: 'POST', headers, agent: new Agent(agent) }, (answer) => {
      const chunks = [];
      let size = 0;
      const finish = () => tell({
        kind: 'answer',
        status: answer.statusCode,
        retryAfter: answer.headers['retry-after'],
        contentType: answer.headers['content-type'],
        body: Buffer.concat(chunks),
      });
      answer.on('data', (chunk) => {
        size += chunk.length;
        if (size <= maxAnswerBytes) chunks.push(chunk);
        else finish();
      });
      answer.on('end', finish).on('error', fail);
    }).on('error', fail).end(body);
  } catch (error) {
    fail(error);
  }
});
`;

/**
 * Posts one request from a child process and waits for it, for at most so many milliseconds.
 *
 * @throws Error if the options of the agent hold what cannot be handed to another process: a function, say
 */
export function postFromChild(request: ExitRequest, timeoutMs: number): ExitOutcome {
  const { deserialize, serialize } = process.getBuiltinModule('node:v8');
  const input = serialize(request);
  if (process.getBuiltinModule('node:sea')?.isSea()) {
    // It would not run the script but the application once more.
    return { kind: 'no-process', why: 'the application is a single executable, without a Node.js beside it' };
  }
  // Loaded only now: an application waits for everything that is loaded when it starts.
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  try {
    const { stdout, error, signal, status } = spawnSync(
      process.execPath,
      [...networkFlags(), '--input-type=commonjs', '--eval', SCRIPT],
      {
        input,
        stdio: ['pipe', 'pipe', 'ignore'],
        // Ours may have been removed, and then Node.js does not start in it.
        cwd: process.getBuiltinModule('node:path').dirname(process.execPath),
        env: childEnvironment(),
        timeout: Math.max(1, Math.ceil(timeoutMs)),
        killSignal: 'SIGKILL',
        maxBuffer: 2 * request.maxAnswerBytes,
        windowsHide: true,
      },
    );
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT') return { kind: 'timeout' };
    if (error !== undefined) throw error;
    if (stdout.length === 0)
      return { kind: 'no-process', why: `it ended with ${signal ?? `exit code ${status}`}` };
    return deserialize(stdout) as ExitOutcome;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { kind: 'no-process', why: code ?? 'it ended halfway' };
  }
}

/** Without what would trace the child, load something into it or make it write reports. */
function childEnvironment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (!/^(?:OTEL|TRACEWELL)_/i.test(name)) env[name] = value;
  }
  return {
    ...env,
    NODE_OPTIONS: undefined,
    // Left out rather than undefined, Node.js would put it back.
    NODE_V8_COVERAGE: undefined,
    // In Electron the executable is the application, but for this.
    ELECTRON_RUN_AS_NODE: '1',
    // And wherever else it might be: then it is at least not traced, and does not do the same at its own end.
    OTEL_SDK_DISABLED: 'true',
  };
}

/** Flags that say whom to trust and how to connect; no others, for they might load or listen to something. */
const NETWORK_FLAG =
  /^--(?:use-(?:system|bundled|openssl)-ca|tls-(?:min|max)-v1\.\d|tls-cipher-list=.+|openssl-(?:config=.+|shared-config|legacy-provider)|(?:enable|force)-fips|dns-result-order=.+|no-network-family-autoselection)$/;

function networkFlags(): string[] {
  const flags = [...(process.env.NODE_OPTIONS ?? '').split(/\s+/), ...process.execArgv];
  return flags.filter((flag) => NETWORK_FLAG.test(flag));
}
