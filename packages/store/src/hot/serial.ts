let next = 0;

/** Another number each time, in this process: tells the indexes of segments apart, whatever they index. */
export function nextSerial(): number {
  return next++;
}
