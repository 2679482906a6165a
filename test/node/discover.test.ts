import { deepStrictEqual } from 'node:assert';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { discoverInstrumentations } from '../../packages/node/src/instrumentations/discover.ts';
import { temporaryFolder } from './run-app.ts';

function installed(t: TestContext, packages: Record<string, object>): string {
  const root = temporaryFolder(t);
  for (const [folder, manifest] of Object.entries(packages)) {
    const file = join(root, folder, 'package.json');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(manifest));
  }
  return root;
}

describe('discovering published instrumentations', () => {
  it('finds those of the folder and of the folders above, the nearest of each', (t) => {
    const root = installed(t, {
      'node_modules/@opentelemetry/instrumentation-pg': {},
      'node_modules/@opentelemetry/instrumentation-koa': {},
      'node_modules/@opentelemetry/instrumentation': {},
      'node_modules/@opentelemetry/api': {},
      'services/shop/node_modules/@opentelemetry/instrumentation-pg': {},
      'services/shop/src': {},
    });
    const found = discoverInstrumentations(join(root, 'services/shop/src'));
    deepStrictEqual(
      found.map(({ shortName, folder }) => [shortName, folder]),
      [
        ['koa', join(root, 'node_modules/@opentelemetry/instrumentation-koa')],
        ['pg', join(root, 'services/shop/node_modules/@opentelemetry/instrumentation-pg')],
      ],
    );
  });

  it('finds what the collection of all of them depends on, where only that finds it', (t) => {
    const collection = 'node_modules/@opentelemetry/auto-instrumentations-node';
    const root = installed(t, {
      [collection]: { dependencies: { '@opentelemetry/instrumentation-pg': '*', '@opentelemetry/api': '*' } },
      [`${collection}/node_modules/@opentelemetry/instrumentation-pg`]: {
        name: '@opentelemetry/instrumentation-pg',
      },
    });
    deepStrictEqual(
      discoverInstrumentations(root).map(({ packageName }) => packageName),
      ['@opentelemetry/instrumentation-pg'],
    );
  });

  it('finds nothing where nothing is, or where what is there is broken', (t) => {
    deepStrictEqual(discoverInstrumentations(temporaryFolder(t)), []);
    deepStrictEqual(discoverInstrumentations('/no/such/folder'), []);
    const root = installed(t, {
      'node_modules/@opentelemetry/auto-instrumentations-node': {
        dependencies: { '@opentelemetry/instrumentation-missing': '*' },
      },
    });
    deepStrictEqual(discoverInstrumentations(root), []);
  });
});
