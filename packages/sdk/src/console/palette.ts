/** Wraps text in the escape sequences of a style. */
export type Paint = (text: string) => string;

/** The styles that a trace is drawn with. */
export interface Palette {
  readonly strong: Paint;
  readonly faint: Paint;
  readonly error: Paint;
  readonly warning: Paint;
  /** The colour of a service: the same one each time, and no two alike as long as there are enough. */
  service(name: string): Paint;
}

const plain: Paint = (text) => text;

/** Draws in the terminal's own colour. */
export const plainPalette: Palette = {
  strong: plain,
  faint: plain,
  error: plain,
  warning: plain,
  service: () => plain,
};

const sgr =
  (on: number, off: number): Paint =>
  (text) =>
    text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`;

// The sixteen colours that every theme adapts to its background. Red says error, yellow says unfinished, and
// black and white vanish on one background or the other.
const SERVICE_COLORS = [36, 35, 34, 32, 96, 95, 94, 92];
/** Services whose colour is remembered; enough for what a person can tell apart many times over. */
const MAX_SERVICES = 1000;

/** A palette of ANSI colours. Keep one as long as the colours of services should stay the same. */
export function ansiPalette(): Palette {
  const services = new Map<string, Paint>();
  const uses = SERVICE_COLORS.map(() => 0);
  return {
    strong: sgr(1, 22),
    faint: sgr(2, 22),
    error: sgr(31, 39),
    warning: sgr(33, 39),
    service(name) {
      const known = services.get(name);
      if (known !== undefined) return known;
      if (services.size >= MAX_SERVICES) services.clear();
      // By name, so that another process gives it the same; then the next colour that is used least.
      const preferred = hash(name) % SERVICE_COLORS.length;
      const least = Math.min(...uses);
      let index = preferred;
      while (uses[index] !== least) index = (index + 1) % SERVICE_COLORS.length;
      uses[index]! += 1;
      const paint = sgr(SERVICE_COLORS[index]!, 39);
      services.set(name, paint);
      return paint;
    },
  };
}

/** FNV-1a over UTF-16 units. @see http://www.isthe.com/chongo/tech/comp/fnv/ */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}
