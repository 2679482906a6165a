import { type ConformanceLimits, named, type PluginRule } from '../plugin-trial.ts';
import { same } from '../rule.ts';

const limits: ConformanceLimits = {
  attributeCountLimit: 4,
  attributeValueLengthLimit: 10,
  eventCountLimit: 3,
  linkCountLimit: 2,
  attributePerEventCountLimit: 2,
  attributePerLinkCountLimit: 1,
};
const linkTo = (index: number) => ({
  context: { traceId: 'ab'.repeat(16), spanId: `${index}`.padStart(16, 'c') },
});

/** Rules on bounds: what is over a limit is dropped and counted. */
export const limitRules: readonly PluginRule[] = [
  {
    id: 'limit-attributes',
    contract:
      'attributes above the limit are dropped and counted; the first ones stay and can be overwritten',
    remedy: 'at the limit, drop new keys, add 1 to droppedAttributesCount, and still overwrite known keys',
    request: { limits },
    async run(trial) {
      trial.record({ name: 'set' }, (span) => {
        for (let index = 0; index < 7; index++) trial.plugin.setAttribute(span, `key ${index}`, index);
        trial.plugin.setAttribute(span, 'key 0', 'new');
      });
      const attributes = { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 };
      trial.record({ name: 'start', attributes }, (span) => trial.plugin.setAttribute(span, 'd', 'new'));
      const spans = await trial.delivered();
      const set = named(spans, 'set');
      same(set.attributes, { 'key 0': 'new', 'key 1': 1, 'key 2': 2, 'key 3': 3 }, 'the attributes');
      same(set.droppedAttributesCount, 3, 'the count of dropped attributes');
      const start = named(spans, 'start');
      same(start.attributes, { a: 1, b: 2, c: 3, d: 'new' }, 'the attributes given to startSpan');
      same(start.droppedAttributesCount, 2, 'the count of dropped attributes given to startSpan');
    },
  },
  {
    id: 'limit-value-length',
    contract: 'strings longer than the limit are cut, also inside arrays; that is not counted as dropped',
    remedy: 'cut string values after attributeValueLengthLimit UTF-16 units, never through a surrogate pair',
    request: { limits },
    async run(trial) {
      trial.record({ name: 'span' }, (span) => {
        trial.plugin.setAttribute(span, 'long', 'abcdefghijklmno');
        trial.plugin.setAttribute(span, 'list', ['abcdefghijklmno', 1, 'abcdefghij']);
        trial.plugin.setAttribute(span, 'number', 12_345_678_901);
        trial.plugin.setAttribute(span, 'pair', 'abcdefghi🚀');
        trial.plugin.addEvent(span, { name: 'event', attributes: { long: 'abcdefghijklmno' } });
      });
      const span = await trial.only();
      const expected = {
        long: 'abcdefghij',
        list: ['abcdefghij', 1, 'abcdefghij'],
        number: 12_345_678_901,
        pair: 'abcdefghi',
      };
      same(span.attributes, expected, 'the attributes');
      same(span.events[0]?.attributes, { long: 'abcdefghij' }, 'the attributes of the event');
      same(span.droppedAttributesCount, 0, 'the count of dropped attributes');
    },
  },
  {
    id: 'limit-events',
    contract: 'events above the limit are dropped and counted, and so are attributes of one event',
    remedy:
      'keep at most eventCountLimit events with attributePerEventCountLimit attributes, and count the rest',
    request: { limits },
    async run(trial) {
      trial.record({ name: 'many' }, (span) => {
        for (let index = 0; index < 5; index++) trial.plugin.addEvent(span, { name: `event ${index}` });
      });
      trial.record({ name: 'rich' }, (span) => {
        trial.plugin.addEvent(span, { name: 'event', attributes: { a: 1, b: 2, c: 3, d: 4, e: 5 } });
      });
      const spans = await trial.delivered();
      same(named(spans, 'many').events.length, 3, 'the number of events');
      same(named(spans, 'many').droppedEventsCount, 2, 'the count of dropped events');
      const event = named(spans, 'rich').events[0];
      same(event?.attributes, { a: 1, b: 2 }, 'the attributes of the event');
      same(event?.droppedAttributesCount, 3, 'the count of attributes dropped from the event');
    },
  },
  {
    id: 'limit-links',
    contract: 'links above the limit are dropped and counted, and so are attributes of one link',
    remedy:
      'keep at most linkCountLimit links with attributePerLinkCountLimit attributes, and count the rest',
    request: { limits },
    async run(trial) {
      trial.record({ name: 'many', links: [1, 2, 3, 4, 5].map(linkTo) });
      trial.record({ name: 'rich', links: [{ ...linkTo(1), attributes: { a: 1, b: 2, c: 3 } }] });
      if (trial.plugin.addLink !== undefined) {
        trial.record({ name: 'added', links: [linkTo(1)] }, (span) => {
          for (const index of [2, 3, 4]) trial.plugin.addLink?.(span, linkTo(index));
        });
      }
      const spans = await trial.delivered();
      same(named(spans, 'many').links.length, 2, 'the number of links');
      same(named(spans, 'many').droppedLinksCount, 3, 'the count of dropped links');
      const link = named(spans, 'rich').links[0];
      same(link?.attributes, { a: 1 }, 'the attributes of the link');
      same(link?.droppedAttributesCount, 2, 'the count of attributes dropped from the link');
      if (trial.plugin.addLink === undefined) return;
      same(named(spans, 'added').links.length, 2, 'the number of links of which some were added');
      same(named(spans, 'added').droppedLinksCount, 2, 'the count of dropped links of which some were added');
    },
  },
];
