/** The naive indexer of the log's tests: keeps every frame as it came, in lists. */
import { TracewellError } from '@tracewell/plugin';
import { type LogEnvironment, openLog } from '../../packages/store/src/log/log.ts';
import { waitUnref } from '../../packages/store/src/log/scrubber.ts';
import {
  FrameKind,
  type Log,
  type LogIndexer,
  type LogOptions,
  type Segment,
} from '../../packages/store/src/log/types.ts';
import type { FaultDisk, FaultProcess } from './fault-disk.ts';

interface Kept {
  readonly sequence: number;
  readonly offset: number;
  readonly text: string;
}

/** Keeps frames whose payloads are text. */
export class FrameList implements LogIndexer<string> {
  readonly bySegment = new Map<Segment, Kept[]>();
  readonly loaded: Segment[] = [];
  readonly prepared: (string | undefined)[] = [];
  added = 0;
  /** Asked before each frame; what it returns is thrown. */
  fail: (text: string) => Error | undefined = () => undefined;
  /** Whether saved indexes are refused. */
  refuseLoad = false;

  addFrame(
    segment: Segment,
    offset: number,
    payload: Uint8Array,
    _kind: FrameKind,
    sequence: number,
    prepared?: string,
  ): void {
    const text = Buffer.from(payload).toString();
    const failure = this.fail(text);
    if (failure) throw failure;
    this.added++;
    this.prepared.push(prepared);
    let kept = this.bySegment.get(segment);
    if (kept === undefined) {
      kept = [];
      this.bySegment.set(segment, kept);
    }
    const last = kept.at(-1);
    if (last !== undefined && last.sequence >= sequence)
      throw new Error(`frame ${sequence} after ${last.sequence}`);
    kept.push({ sequence, offset, text });
  }

  load(segment: Segment, bytes: Uint8Array): boolean {
    if (this.refuseLoad) return false;
    this.bySegment.set(segment, JSON.parse(Buffer.from(bytes).toString()));
    this.loaded.push(segment);
    return true;
  }

  save(segment: Segment): readonly Uint8Array[] {
    if (!segment.sealed) throw new Error('save before sealed');
    const json = Buffer.from(JSON.stringify(this.bySegment.get(segment) ?? []));
    return [json.subarray(0, 10), json.subarray(10)];
  }

  remove(segment: Segment): void {
    this.bySegment.delete(segment);
  }

  /** All texts, sorted, after checking that each can be read back from where it is said to be. */
  texts(): string[] {
    const texts: string[] = [];
    for (const [segment, kept] of this.bySegment) {
      for (const { offset, text } of kept) {
        const read = Buffer.from(segment.read(offset, Buffer.byteLength(text))).toString();
        if (read !== text)
          throw new Error(`at ${offset} of segment ${segment.number}: ${read} instead of ${text}`);
        texts.push(text);
      }
    }
    return texts.sort();
  }
}

/** A log with its frames. */
export interface OpenLog {
  readonly log: Log<string>;
  readonly list: FrameList;
  /** Appends text. */
  put(text: string): Promise<void>;
}

/** The directory on a {@link FaultDisk} that tests use. */
export const STORE = '/store';

/** Opens the log on a disk, as a process of its own. */
export async function openOn(
  disk: FaultDisk,
  options: LogOptions = {},
  list = new FrameList(),
  process: FaultProcess = disk.boot(),
  wait: LogEnvironment['wait'] = waitUnref,
): Promise<OpenLog> {
  if (!disk.directories.has('/')) process.makeDirectorySync('/');
  const environment: LogEnvironment = {
    fileSystem: process,
    now: () => ++disk.nowMs,
    randomBytes: disk.randomBytes,
    wait,
  };
  return opened(await openLog(STORE, list, options, environment), list);
}

/** Opens a real log. */
export async function openAt(
  directory: string,
  options: LogOptions = {},
  list = new FrameList(),
): Promise<OpenLog> {
  return opened(await openLog(directory, list, options), list);
}

function opened(log: Log<string>, list: FrameList): OpenLog {
  return { log, list, put: (text) => log.append(FrameKind.TRACES, Buffer.from(text)) };
}

/** What `assert.rejects` and `assert.throws` take for an error with this code whose message fits. */
export function withCode(code: string, message = /./): (error: unknown) => true {
  return (error) => {
    if (error instanceof TracewellError && error.code === code && message.test(error.message)) return true;
    throw error;
  };
}

/** Texts with a common start, long enough for sectors and chunks to matter: `a0`, `a1`, … */
export function texts(start: string, count: number, bytes = 100): string[] {
  return Array.from({ length: count }, (_, i) => `${start}${i} `.padEnd(bytes, '.'));
}
