import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, test } from 'node:test';
import { resourceFromEnvironment } from '@tracewell/sdk';

describe('the resource from the environment', () => {
  test('says what the process knows of itself', () => {
    const { attributes } = resourceFromEnvironment({});
    assert.equal(attributes['service.name'], 'unknown_service:node');
    assert.equal(attributes['process.pid'], process.pid);
    assert.equal(attributes['process.runtime.name'], 'nodejs');
    assert.equal(attributes['process.runtime.version'], process.versions.node);
    assert.equal(attributes['host.name'], hostname());
    assert.match(String(attributes['service.instance.id']), /^[0-9a-f-]{36}$/);
    assert.equal(attributes['telemetry.sdk.name'], 'tracewell');
    assert.equal(attributes['telemetry.sdk.language'], 'nodejs');
    const manifest = JSON.parse(
      readFileSync(new URL('../../packages/sdk/package.json', import.meta.url), 'utf8'),
    );
    assert.equal(attributes['telemetry.sdk.version'], manifest.version);
  });

  test('is one instance, however often it is asked for', () => {
    const id = (): unknown => resourceFromEnvironment({}).attributes['service.instance.id'];
    assert.equal(id(), id());
  });

  test('reads the standard variables', () => {
    const { attributes } = resourceFromEnvironment({
      OTEL_RESOURCE_ATTRIBUTES: ' a = b ,c=%2C%3D%25%C3%A9,service.name=low,host.name=h,empty=,eq=x=y',
    });
    assert.equal(attributes.a, 'b');
    assert.equal(attributes.c, ',=%é');
    assert.equal(attributes.empty, '');
    assert.equal(attributes.eq, 'x=y');
    assert.equal(attributes['host.name'], 'h');
    assert.equal(attributes['service.name'], 'low');
    const named = resourceFromEnvironment({
      OTEL_SERVICE_NAME: 'high',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=low,telemetry.sdk.name=fake',
    });
    assert.equal(named.attributes['service.name'], 'high');
    assert.equal(named.attributes['telemetry.sdk.name'], 'tracewell');
    assert.equal(
      resourceFromEnvironment({ OTEL_SERVICE_NAME: '' }).attributes['service.name'],
      'unknown_service:node',
    );
  });

  test('ignores a malformed variable as a whole and tells, without its value', () => {
    for (const text of ['a=b,c', 'a=b,=c', 'a=b,c=%', 'a=b,c=%ff', 'a=b,__proto__=s3cret']) {
      const errors: Error[] = [];
      const { attributes } = resourceFromEnvironment(
        { OTEL_RESOURCE_ATTRIBUTES: text },
        { onError: (error) => errors.push(error) },
      );
      assert.equal(attributes.a, undefined, text);
      assert.equal(errors.length, 1, text);
      assert.ok(!errors[0]!.message.includes('s3cret'));
    }
  });
});
