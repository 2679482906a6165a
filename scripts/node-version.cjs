// Every npm script that needs a recent Node.js starts with this file, in syntax that any Node.js can read.
var version = process.versions.node.split('.');
if (+version[0] < 22 || (+version[0] === 22 && +version[1] < 18)) {
  console.error(
    'Tracewell needs Node.js 22.18 or later, this is ' +
      process.versions.node +
      ': run "npm ci", which installs Node.js 24 beside the rest, then the same again with "npm run".',
  );
  process.exit(1);
}
