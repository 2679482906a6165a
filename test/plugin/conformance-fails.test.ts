// A suite that cannot fail proves nothing: each of these plugins breaks the contract in one way, and exactly
// the rules that it names have to fail.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brokenPlugins } from './broken-plugins.ts';
import { failingRules, type SuiteOutcome } from './failing-rules.ts';

describe('the conformance suite for plugins', () => {
  let outcomes: ReadonlyMap<string, SuiteOutcome>;
  before(async () => {
    outcomes = await failingRules(fileURLToPath(new URL('./broken-plugins.suite.ts', import.meta.url)));
  });

  for (const [title, { breaks }] of Object.entries(brokenPlugins)) {
    test(`fails for a plugin that ${title}`, () => {
      const { failed } = outcomes.get(title) ?? assert.fail('the suite did not run');
      assert.deepEqual([...failed.keys()].sort(), [...breaks].sort(), [...failed.values()].join('\n\n'));
      for (const [id, message] of failed) {
        assert.match(
          message,
          new RegExp(`^Rule ${id} is broken: .+\nThe contract: .+\nWhat to do: .+$`, 's'),
        );
      }
    });
  }

  test('has no rule that no broken plugin breaks', () => {
    const rules = new Set([...outcomes.values()].flatMap((outcome) => [...outcome.rules]));
    const broken = new Set(Object.values(brokenPlugins).flatMap(({ breaks }) => breaks));
    assert.deepEqual([...rules].sort(), [...broken].sort());
  });
});
