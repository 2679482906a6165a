import { isDeepStrictEqual } from 'node:util';
import type { SpanBatch, TracerPlugin } from '@tracewell/plugin';
import { Recorder, type RecorderSettings } from '../recorder/recorder.ts';

/** A buffered plugin, as far as its spans may come from a recorder that it shares. */
export interface RecordingMember extends TracerPlugin {
  readonly recorderSettings: RecorderSettings;
  /** Takes a batch that was recorded elsewhere. */
  give(batch: SpanBatch): void;
  /** Counts, flushes and ends the spans of that recording as if they were the plugin's own. */
  join(recording: SharedRecording): void;
}

/**
 * One recorder for several buffered plugins behind a fan-out, which would all record the same bytes: a span is encoded
 * once, and every member gets the batch. Each member keeps its own recorder for whoever uses it directly, and counts
 * both; so nobody sees a difference but in the time that recording takes.
 */
export class SharedRecording extends Recorder implements TracerPlugin {
  readonly name: string;
  readonly #members: Set<RecordingMember>;

  constructor(all: readonly RecordingMember[]) {
    const members = new Set(all);
    const settings = {
      ...all[0]!.recorderSettings,
      onError: (error: unknown): void => {
        for (const member of members) member.recorderSettings.onError(error);
      },
    };
    super(settings, (batch) => {
      for (const member of members) member.give(batch);
    });
    this.name = all.map((member) => member.name).join('+');
    this.#members = members;
    for (const member of all) member.join(this);
  }

  /** Hands what is buffered to the members, who deliver it when they are flushed themselves. */
  async flush(): Promise<void> {
    this.closeBatch();
  }

  /** Lets a member go that is shut down on its own: the others record on. */
  leave(member: RecordingMember): void {
    this.closeBatch();
    this.#members.delete(member);
  }
}

/** What the spans of some plugins have to be recorded on, and what of it is shared. */
export interface Recordings {
  /** A recording for each group of buffered plugins that record alike, and every other plugin as it is. */
  readonly targets: readonly TracerPlugin[];
  readonly shared: readonly SharedRecording[];
}

/** Lets buffered plugins with equal settings share a recorder. */
export function shareRecorders(
  plugins: readonly TracerPlugin[],
  isMember: (plugin: TracerPlugin) => plugin is RecordingMember,
): Recordings {
  const groups: TracerPlugin[][] = [];
  for (const plugin of plugins) {
    const alike = groups.find(([first]) => {
      if (first === undefined || first === plugin || !isMember(first) || !isMember(plugin)) return false;
      return recordAlike(first.recorderSettings, plugin.recorderSettings);
    });
    // The same plugin given twice is no second member.
    if (alike === undefined || alike.includes(plugin)) groups.push([plugin]);
    else alike.push(plugin);
  }
  const shared: SharedRecording[] = [];
  const targets = groups.map((group) => {
    const members = group.filter(isMember);
    if (members.length < 2) return group[0]!;
    const recording = new SharedRecording(members);
    shared.push(recording);
    return recording;
  });
  return { targets, shared };
}

/** Whether two recorders would turn the same calls into the same bytes. */
function recordAlike(a: RecorderSettings, b: RecorderSettings): boolean {
  const { onError: _, resource, limits, ...others } = a;
  return (
    isDeepStrictEqual(resource, b.resource) &&
    isDeepStrictEqual(limits, b.limits) &&
    Object.entries(others).every(([key, value]) => b[key as keyof RecorderSettings] === value)
  );
}
