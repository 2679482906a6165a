// Every npm script starts with this file, in syntax that any Node.js can read.
var version = process.versions.node.split('.');
if (+version[0] < 22 || (+version[0] === 22 && +version[1] < 18)) {
  console.error(
    'Tracewell needs Node.js 22.18 or later; this is ' +
      process.versions.node +
      '. Run it with "npm run", which uses the node package that "npm ci" installs.',
  );
  process.exit(1);
}
