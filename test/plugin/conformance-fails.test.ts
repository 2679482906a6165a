// A suite that cannot fail proves nothing: each of these plugins and exporters breaks the contract in one way,
// and exactly the rules that it names have to fail.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brokenExporters } from './broken-exporters.ts';
import { brokenPlugins } from './broken-plugins.ts';
import { failingRules, type SuiteOutcome } from './failing-rules.ts';

const kinds = {
  plugin: { broken: brokenPlugins, file: './broken-plugins.suite.ts' },
  exporter: { broken: brokenExporters, file: './broken-exporters.suite.ts' },
};

for (const [kind, { broken, file }] of Object.entries(kinds)) {
  describe(`the conformance suite for ${kind}s`, () => {
    let outcomes: ReadonlyMap<string, SuiteOutcome>;
    before(async () => {
      outcomes = await failingRules(fileURLToPath(new URL(file, import.meta.url)));
    });

    for (const [title, { breaks }] of Object.entries(broken)) {
      test(`fails for ${kind === 'plugin' ? 'a plugin' : 'an exporter'} that ${title}`, () => {
        const { failed } = outcomes.get(title) ?? assert.fail('the suite did not run');
        assert.deepEqual([...failed.keys()].sort(), [...breaks].sort(), [...failed.values()].join('\n\n'));
        for (const [id, message] of failed) {
          const explained = new RegExp(`^Rule ${id} is broken: .+\nThe contract: .+\nWhat to do: .+$`, 's');
          assert.match(message, explained);
        }
      });
    }

    test(`has no rule that nothing breaks`, () => {
      const rules = new Set([...outcomes.values()].flatMap((outcome) => [...outcome.rules]));
      const breakable = new Set(Object.values(broken).flatMap(({ breaks }) => breaks));
      assert.deepEqual([...rules].sort(), [...breakable].sort());
    });
  });
}
