// Takes money through a bank that declines some cards, and that now and then does not answer in time.
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpError, serveJson } from './json-server.ts';
import { log } from './log.ts';

serveJson({
  'POST /payments': async ({ card, total }) => {
    if (card === 'declined') {
      await log('WARN', 'card declined', { total: Number(total) });
      throw new HttpError(402, 'the bank declined the card');
    }
    if (card === 'broken') throw new Error('the line to the bank is broken');
    if (card === 'offline') {
      await sleep(1_000 + Number(total));
      await log('ERROR', 'the bank did not answer in time; giving up', { total: Number(total) });
      throw new Error('the bank did not answer in time');
    }
    await sleep(3 + (Number(total) % 10));
    return { paid: total };
  },
});
