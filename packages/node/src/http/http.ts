/**
 * `node:http`, not as an ES module: the import of it reads every export once, and those of WebSockets load all of
 * undici, which takes 20 ms of every start.
 */
export const http = process.getBuiltinModule('node:http');
