/** `node:crypto`, loaded when something is drawn or hashed for the first time: it takes 4 to 6 ms of a start. */
export function crypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto');
}
