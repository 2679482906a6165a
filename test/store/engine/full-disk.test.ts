import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { newDirectory } from './directory.ts';

const CHILD = fileURLToPath(new URL('full-disk-child.ts', import.meta.url));

/** Runs a command in a small file system of its own. */
function onDisk(options: string, directory: string, command: readonly string[]) {
  const script = `mount -t tmpfs -o ${options} none "$0" && exec "$@"`;
  return spawnSync('unshare', ['-rm', 'sh', '-c', script, directory, ...command], { encoding: 'utf8' });
}

for (const [what, options, free] of [
  ['bytes', 'size=256k', 0],
  ['files', 'nr_inodes=20', 0],
  // Enough for the directories of a store, not for its lock.
  ['files', 'nr_inodes=20', 2],
] as const) {
  for (const when of ['new', 'used'] as const) {
    test(`a ${when} store on a disk with ${free} free ${what} says so, and opens once there is room`, (t) => {
      const directory = newDirectory(t);
      if (onDisk(options, directory, ['true']).status !== 0) return t.skip('needs the right to mount');
      const { stdout, stderr } = onDisk(options, directory, [
        process.execPath,
        '--conditions=@tracewell/source',
        CHILD,
        directory,
        what,
        when,
        String(free),
      ]);
      const lines = stdout.trim().split('\n');
      assert.equal(lines.length, 3, stdout + stderr);
      assert.equal(lines[2], '1');
      for (const line of lines.slice(0, 2)) {
        // A lock that is there already takes no room.
        if (when === 'used' && line === 'opened ') continue;
        assert.match(line, /^TW_LOG_NO_SPACE .*; make room (there )?and open the store again$/);
      }
    });
  }
}
