import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TracewellError } from '@tracewell/plugin';
import { ErrorReporter } from '../../packages/sdk/src/host/error-reporter.ts';

describe('the error reporter', () => {
  function setup(): {
    reports: [message: string, suppressed: number][];
    report(cause: string): void;
    pass(ms: number): void;
    reporter: ErrorReporter;
  } {
    const reports: [string, number][] = [];
    let now = 0;
    const reporter = new ErrorReporter(
      (error, { suppressed }) => reports.push([error.message, suppressed]),
      () => now,
    );
    let number = 0;
    return {
      reports,
      reporter,
      report: (cause) => {
        number += 1;
        reporter.report(cause, () => new TracewellError('TW_PLUGIN_FAILED', `${cause} ${number}`));
      },
      pass: (ms) => {
        now += ms;
      },
    };
  }

  test('reports a cause once a second, with the number of those held back', () => {
    const { reports, report, pass, reporter } = setup();
    report('a');
    report('a');
    report('b');
    pass(999);
    report('a');
    assert.deepEqual(reports, [
      ['a 1', 0],
      ['b 3', 0],
    ]);
    pass(1);
    report('a');
    report('a');
    assert.deepEqual(reports.slice(2), [['a 5', 2]]);
    assert.equal(reporter.count, 6);
    assert.equal(reporter.last?.message, 'a 5');
  });

  test('makes no error that nobody will see', () => {
    const { reporter } = setup();
    reporter.report('cause', () => new TracewellError('TW_PLUGIN_FAILED', 'first'));
    reporter.report('cause', () => assert.fail('it is held back'));
    assert.equal(reporter.count, 2);
  });

  test('remembers a bounded number of causes', () => {
    const { reports, report } = setup();
    for (let index = 0; index < 1000; index++) report(`cause ${index}`);
    assert.equal(reports.length, 1000);
    report('cause 999');
    assert.equal(reports.length, 1000, 'the latest is still known');
    report('cause 0');
    assert.equal(reports.length, 1001, 'the first is forgotten, so it is reported again');
  });
});
