// A suite that cannot fail proves nothing: each of these stores breaks the contract in one way, and the rules that it
// names have to fail.
import assert, { AssertionError } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore, type Store } from '@tracewell/store';
import { STORE_RULES } from '../../../packages/store/src/conformance/store-suite.ts';
import { StoreTrial } from '../../../packages/store/src/conformance/store-trial.ts';
import { type BrokenStore, brokenStores } from './broken-stores.ts';

/** What a rule finds wrong with a store; `undefined` if nothing. */
async function findingOf(ruleId: string, change: BrokenStore['change']): Promise<unknown> {
  const directory = mkdtempSync(join(tmpdir(), 'tracewell-broken-'));
  const sound = await openStore(directory, { durability: 'none' });
  const changed = change(sound);
  const broken = new Proxy(sound as Store, {
    get(store, method) {
      const own = (changed as Record<string | symbol, unknown>)[method];
      const value = own ?? Reflect.get(store, method, store);
      return typeof value === 'function' ? value.bind(store) : value;
    },
  });
  const rule = STORE_RULES.find(({ id }) => id === ruleId) ?? assert.fail(`there is no rule ${ruleId}`);
  try {
    await rule.run(
      new StoreTrial({ store: broken, settled: () => broken }, { create: assert.fail, patienceMs: 60_000 }),
    );
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await sound.close();
    rmSync(directory, { recursive: true });
  }
}

for (const [title, { breaks, change }] of Object.entries(brokenStores)) {
  test(`the suite for stores fails for one that ${title}`, async () => {
    for (const id of breaks) {
      const finding = await findingOf(id, change);
      assert.ok(finding instanceof AssertionError || finding instanceof TypeError, `${id} found ${finding}`);
    }
  });
}

test('the suite for stores has no rule that nothing breaks', () => {
  const breakable = new Set(Object.values(brokenStores).flatMap(({ breaks }) => breaks));
  assert.deepEqual(
    STORE_RULES.map(({ id }) => id).filter((id) => !breakable.has(id)),
    [],
  );
});

test('a store that changes nothing breaks no rule', async () => {
  for (const { id } of STORE_RULES) assert.equal(await findingOf(id, () => ({})), undefined, id);
});
