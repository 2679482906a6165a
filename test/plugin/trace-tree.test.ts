import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SpanData, type TraceNode, traceTree } from '@tracewell/plugin';
import fc from 'fast-check';

const empty = { attributes: {}, droppedAttributesCount: 0 };

/** A span from `id`, `id<parent` or `id<parent@start`. */
function span(text: string): SpanData {
  const [, id, parent = '', start = '0'] = /^(\w+)(?:<(\w+))?(?:@(\d+))?$/.exec(text) ?? assert.fail(text);
  return {
    ...empty,
    traceId: 't',
    spanId: id!,
    parentSpanId: parent,
    traceState: '',
    flags: 1,
    name: id!,
    kind: 1,
    startTimeUnixNanos: BigInt(start),
    endTimeUnixNanos: BigInt(start),
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: { code: 0, message: '' },
    resource: { ...empty, schemaUrl: '' },
    scope: { ...empty, name: '', version: '', schemaUrl: '' },
  };
}

/** `a(b(c) d)` for a tree of a with the children b and d. */
const shape = (nodes: readonly TraceNode[]): string =>
  nodes
    .map(({ span, children }) => span.name + (children.length > 0 ? `(${shape(children)})` : ''))
    .join(' ');

const cases: readonly (readonly [title: string, spans: string, tree: string])[] = [
  ['nothing', '', ''],
  ['children under their parents, whatever the order', 'c<b@3 a@1 b<a@2', 'a(b(c))'],
  ['children by their start', 'a b<a@3 c<a@1 d<a@2', 'a(c d b)'],
  ['roots by their start', 'a@3 b@1 c@2', 'b c a'],
  ['a span without its parent as a root', 'a@1 b<gone@2', 'a b'],
  ['a span that is its own parent as a root', 'a<a b<a', 'a(b)'],
  ['a cycle, cut at the span that started first', 'a<b@2 b<a@1', 'b(a)'],
  ['a longer cycle', 'a<c@5 b<a@4 c<b@6 d<a@7', 'b(c(a(d)))'],
  ['what hangs from a cycle, also when it started before it', 'a<b@10 b<a@20 x<a@5', 'a(x b)'],
  ['two cycles', 'a<b@1 b<a@2 c<d@4 d<c@3', 'a(b) d(c)'],
  ['two spans of one id, both', 'a@1 a@2 b<a@3', 'a(b) a'],
];

for (const [title, spans, tree] of cases) {
  test(`traceTree arranges ${title}`, () => {
    assert.equal(shape(traceTree(spans.split(' ').filter(Boolean).map(span))), tree);
  });
}

test('traceTree shows every span exactly once, under its parent, in the order of starts', () => {
  const id = fc.integer({ min: 0, max: 12 });
  const anySpan = fc
    .tuple(id, id, fc.integer({ min: 0, max: 5 }))
    .map(([a, b, at]) => span(`s${a}<s${b}@${at}`));
  fc.assert(
    fc.property(fc.array(anySpan, { maxLength: 20 }), (spans) => {
      const seen: SpanData[] = [];
      const visit = (nodes: readonly TraceNode[], parent: TraceNode | undefined): void => {
        let last = 0n;
        for (const node of nodes) {
          seen.push(node.span);
          assert.ok(node.span.startTimeUnixNanos >= last);
          last = node.span.startTimeUnixNanos;
          if (parent !== undefined) assert.equal(node.span.parentSpanId, parent.span.spanId);
          visit(node.children, node);
        }
      };
      visit(traceTree(spans), undefined);
      assert.equal(seen.length, spans.length);
      assert.deepEqual(new Set(seen), new Set(spans));
    }),
  );
});

test('traceTree takes traces that are very wide and very deep', () => {
  const wide = traceTree([
    span('root'),
    ...Array.from({ length: 200_000 }, (_, index) => span(`s${index}<root`)),
  ]);
  assert.equal(wide[0]?.children.length, 200_000);
  const deep = traceTree(
    Array.from({ length: 200_000 }, (_, index) => span(`s${index + 1}<s${index}@${index}`)),
  );
  let depth = 0;
  for (let node: TraceNode | undefined = deep[0]; node !== undefined; node = node.children[0]) depth++;
  assert.equal(depth, 200_000);
});

test('traceTree returns nodes of a span and its children, and nothing else', () => {
  const root = span('a');
  assert.deepEqual(traceTree([root]), [{ span: root, children: [] }]);
});
