import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withConstants } from '../../scripts/constants.ts';

describe('the constants of a bundle', () => {
  const constants: [string, string][] = [
    ['var a = 1;', 'const a=1;'],
    ['var { a, b: c } = d;', 'const{a, b: c } = d;'],
    ['var {\n  a\n} = d;', 'const{\n  a\n} = d;'],
    ['var $a = class {\n};', 'const $a=class {\n};'],
    // What is done with a value assigns nothing to its name.
    ['var a = [0];\na[0] = 1; a.b++; x[a] = -a;', 'const a=[0];\na[0] = 1; a.b++; x[a] = -a;'],
  ];
  for (const [before, after] of constants) {
    it(`are declared as such: ${JSON.stringify(before)}`, () => assert.equal(withConstants(before), after));
  }
  const variables = [
    'var a = 1;\nfunction f() { a = 2; }',
    'var a = 1;\nfunction f() { return () => a++; }',
    'var a = 1;\nfunction f() { --a; a ??= 3; }',
    'var a = 1;\nfunction f() { [b, { c: a = 2 }] = d; }',
    'var { a, b } = c;\nfunction f() { ({ b } = d); }',
    'var a = 1;\nfunction f() { for (a of b); }',
    'var a;',
    'var a = 1, b = 2;',
    'let a = 1;',
    'function f() {\n  var a = 1;\n}',
  ];
  for (const code of variables) {
    it(`are not what may change: ${JSON.stringify(code)}`, () => assert.equal(withConstants(code), code));
  }
});
