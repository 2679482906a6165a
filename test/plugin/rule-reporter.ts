// A reporter of node:test that writes one JSON line for each test and suite: what failing-rules.ts reads.
import type { TestEvent } from 'node:test/reporters';

/** One line of the report. */
export interface ReportLine {
  readonly nesting: number;
  readonly name: string;
  /** What was wrong; absent when nothing was. */
  readonly message?: string;
  /** The reason why the test was skipped. */
  readonly skipped?: string | boolean;
}

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const { nesting, name, skip: skipped } = data;
    const error = type === 'test:fail' ? data.details.error : undefined;
    const message = error && String((error.cause as Error | undefined)?.message ?? error.message);
    yield `${JSON.stringify({ nesting, name, message, skipped } satisfies { [K in keyof ReportLine]: unknown })}\n`;
  }
}
