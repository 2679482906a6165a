// Records one span that ended and one that did not, and ends as it is told: node end.mjs exit|throw|signal|idle
import { trace } from '@opentelemetry/api';

const tracer = trace.getTracer('application');
tracer.startSpan('ended').end();
tracer.startSpan('open');
const [, , how] = process.argv;
if (how === 'exit') process.exit(3);
if (how === 'throw') throw new Error('on purpose');
if (how === 'signal') {
  setInterval(() => {}, 1000);
  console.log('ready');
}
