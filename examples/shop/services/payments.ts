// Takes money through a bank that declines some cards, and that now and then does not answer in time.
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpError, serveJson } from './json-server.ts';

serveJson({
  'POST /payments': async ({ card, total }) => {
    if (card === 'declined') throw new HttpError(402, 'the bank declined the card');
    if (card === 'offline') {
      await sleep(1_000 + Number(total));
      throw new Error('the bank did not answer in time');
    }
    await sleep(3 + (Number(total) % 10));
    return { paid: total };
  },
});
