import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { BlobStore, GRACE_MS } from '../../../packages/store/src/blobs/blob-store.ts';
import { nodeFileSystem } from '../../../packages/store/src/fs/node-file-system.ts';
import { newDirectory } from '../engine/directory.ts';
import { FaultDisk, fileError } from '../fault-disk.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const sha256 = (contents: Uint8Array): string => createHash('sha256').update(contents).digest('hex');

/** Makes a file as old as that. */
function age(path: string, milliseconds: number): void {
  const time = (Date.now() - milliseconds) / 1000;
  utimesSync(path, time, time);
}

test('what is stored comes back by the hash of its contents, stored once and compressed', (t) => {
  const directory = newDirectory(t);
  mkdirSync(directory, { recursive: true });
  const blobs = new BlobStore(nodeFileSystem, directory);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (contents) => {
      const name = blobs.put(contents);
      assert.equal(name, sha256(contents));
      assert.deepEqual(blobs.get(name), contents);
    }),
    { numRuns: 50 },
  );
  const before = [...blobs.list()].length;
  const text = bytes('the same prompt again and again '.repeat(10_000));
  const names = [blobs.put(text), blobs.put(text.slice())];
  blobs.flush();
  assert.equal(names[0], names[1]);
  assert.equal([...blobs.list()].length, before + 1);
  const path = join(directory, 'blobs', names[0]!.slice(0, 2), names[0]!.slice(2, 4), names[0]!);
  assert.ok(statSync(path).size < text.length / 100, `${statSync(path).size} bytes`);
});

test('F46 a name that is none never becomes a path', (t) => {
  const directory = newDirectory(t);
  mkdirSync(directory, { recursive: true });
  const blobs = new BlobStore(nodeFileSystem, directory);
  const name = sha256(bytes('x'));
  for (const bad of ['', '..', `../${name.slice(3)}`, name.toUpperCase(), `${name}\0`, `${name}0`, 5, null]) {
    assert.throws(() => blobs.get(bad as string), /must be 64 lower-case hex digits/);
  }
  assert.throws(() => blobs.get(name), { code: 'TW_BLOB_MISSING' });
});

test('a file that was changed, cut or swapped is told from its contents', (t) => {
  const directory = newDirectory(t);
  mkdirSync(directory, { recursive: true });
  const blobs = new BlobStore(nodeFileSystem, directory);
  const name = blobs.put(bytes('some prompt '.repeat(100)));
  const other = blobs.put(bytes('another'));
  const path = globSync(join(directory, 'blobs/*/*', name))[0]!;
  const whole = readFileSync(path);
  for (let at = 0; at < whole.length; at++) {
    const damaged = Buffer.from(whole);
    damaged[at]! ^= 0x41;
    writeFileSync(path, damaged);
    assert.throws(() => blobs.get(name), { code: 'TW_BLOB_DAMAGED' }, `byte ${at}`);
    writeFileSync(path, whole.subarray(0, at));
    assert.throws(() => blobs.get(name), { code: 'TW_BLOB_DAMAGED' }, `${at} bytes`);
  }
  writeFileSync(path, readFileSync(globSync(join(directory, 'blobs/*/*', other))[0]!));
  assert.throws(() => blobs.get(name), { code: 'TW_BLOB_DAMAGED' });
  // A length that asks for more memory than a blob may have.
  const huge = Buffer.from(whole);
  huge.writeBigUInt64LE(2n ** 40n, 8);
  writeFileSync(path, huge);
  assert.throws(() => blobs.get(name), { code: 'TW_BLOB_DAMAGED' });
  assert.throws(() => blobs.put(new Uint8Array(16 * 1024 * 1024 + 1)), RangeError);
});

test('F28 a blob survives a collection between its storing and the row that names it', async (t) => {
  const directory = newDirectory(t);
  mkdirSync(directory, { recursive: true });
  const blobs = new BlobStore(nodeFileSystem, directory);
  const path = (name: string): string => globSync(join(directory, 'blobs/*/*', name))[0]!;
  const collect = (...named: string[]) =>
    new BlobStore(nodeFileSystem, directory).collect((name) => named.includes(name));

  const fresh = blobs.put(bytes('just stored'));
  assert.deepEqual(
    { ...(await collect()), keptBytes: 0 },
    { unnamed: 0, dropped: 0, freedBytes: 0, kept: 1, keptBytes: 0 },
  );

  // Stored long ago by a row that is gone, and now again for one that is not visible yet.
  const again = blobs.put(bytes('stored again'));
  age(path(again), GRACE_MS * 2);
  assert.equal(blobs.put(bytes('stored again')), again);
  assert.equal((await collect()).unnamed, 0);
  assert.deepEqual(blobs.get(again), bytes('stored again'));

  // And what nothing names goes in the end, what something names never.
  for (const name of [fresh, again]) age(path(name), GRACE_MS * 2);
  const dry = await blobs.collect(() => false, {}, true);
  assert.deepEqual([dry.unnamed, [...blobs.list()].length], [2, 2]);
  assert.equal((await collect(fresh)).unnamed, 1);
  assert.deepEqual(
    Array.from(blobs.list(), ({ name }) => name),
    [fresh],
  );
});

test('a blob is there whole or not at all, wherever its storing is cut off', () => {
  for (const operation of ['open', 'write', 'sync', 'rename'] as const) {
    const disk = new FaultDisk(1);
    const process = disk.boot();
    process.makeDirectorySync('/store');
    const blobs = new BlobStore(process, '/store');
    disk.fault = (name, path) =>
      name === operation && path.endsWith('.tmp') ? fileError('ENOSPC') : undefined;
    assert.throws(() => blobs.put(bytes('x'.repeat(1000))), { code: 'ENOSPC' }, operation);
    disk.fault = () => undefined;
    assert.deepEqual([...blobs.list()], [], operation);
    const name = blobs.put(bytes('x'.repeat(1000)));
    blobs.flush();
    disk.cutPower('shuffled');
    assert.deepEqual(new BlobStore(disk.boot(), '/store').get(name), bytes('x'.repeat(1000)), operation);
  }
});

test('what a killed process left half written goes with a collection', async (t) => {
  const directory = newDirectory(t);
  mkdirSync(directory, { recursive: true });
  const blobs = new BlobStore(nodeFileSystem, directory);
  const name = blobs.put(bytes('whole'));
  const leftover = `${globSync(join(directory, 'blobs/*/*', name))[0]!}.0123456789abcdef.tmp`;
  writeFileSync(leftover, 'half');
  await blobs.collect(() => true);
  assert.equal(globSync(leftover).length, 1);
  age(leftover, GRACE_MS * 2);
  await blobs.collect(() => true);
  assert.equal(globSync(leftover).length, 0);
  assert.deepEqual(blobs.get(name), bytes('whole'));
});

test('payloads have limits of their own: the oldest go first, those of the last hour never', async (t) => {
  const directory = newDirectory(t);
  mkdirSync(directory, { recursive: true });
  const blobs = new BlobStore(nodeFileSystem, directory);
  const names = [5, 4, 3, 2, 0].map((hours) => {
    const name = blobs.put(bytes(`stored ${hours} hours ago`));
    age(globSync(join(directory, 'blobs/*/*', name))[0]!, hours * GRACE_MS);
    return name;
  });
  const all = [...blobs.list()].reduce((sum, blob) => sum + blob.bytes, 0);
  const left = (): string[] => names.filter((name) => blobs.has(name));
  const named = () => true;
  const dry = await blobs.collect(named, { maxAgeMs: 0 }, true);
  assert.deepEqual([dry.dropped, dry.kept, left().length], [4, 1, 5]);
  assert.equal((await blobs.collect(named, { maxAgeMs: 4.5 * GRACE_MS })).dropped, 1);
  assert.deepEqual(left(), names.slice(1));
  const each = all / names.length;
  const bySize = await blobs.collect(named, { maxBytes: Math.ceil(each * 3) });
  assert.deepEqual([bySize.dropped, bySize.unnamed, left()], [1, 0, names.slice(2)]);
  assert.equal(
    bySize.keptBytes,
    [...blobs.list()].reduce((sum, blob) => sum + blob.bytes, 0),
  );
  assert.equal((await blobs.collect(named, { maxBytes: 0 })).kept, 1);
  assert.deepEqual(left(), names.slice(4));
});

test('F28 a blob that another one stored, and died before it was durable, is durable for whoever stores it again', () => {
  const disk = new FaultDisk(1);
  const process = disk.boot();
  process.makeDirectorySync('/store');
  process.syncDirectorySync('/');
  // When the files of this disk were modified: the blob counts as stored just now.
  const now = (): number => 0;
  const name = new BlobStore(process, '/store', now).put(bytes('stored twice'));
  const again = new BlobStore(process, '/store', now);
  assert.equal(again.put(bytes('stored twice')), name);
  again.flush();
  disk.cutPower('lost');
  assert.deepEqual(new BlobStore(disk.boot(), '/store').get(name), bytes('stored twice'));
});
