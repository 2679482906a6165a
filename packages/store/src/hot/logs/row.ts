// One log record as numbers, on its way from the bytes of a frame into a block: ROW_WORDS 32-bit words, one row
// after the other. The first six are what a block keeps as a record.

/** 32-bit words of a row. */
export const ROW_WORDS = 8;

/** When it happened, or else when it was seen: nanoseconds as unsigned halves. */
export const WORD_TIME_HIGH = 0;
export const WORD_TIME_LOW = 1;
/** The last 4 bytes of the trace id, big-endian; 1 where they are 0; 0 for a record of no trace. */
export const WORD_TRACE_KEY = 2;
/** The last 4 bytes of the span id, likewise. */
export const WORD_SPAN_KEY = 3;
/** Where the LogRecord message starts in the payload (in a block: in the segment), and its length. */
export const WORD_OFFSET = 4;
export const WORD_LENGTH = 5;
/** The severity number in the low 8 bits, above them the number of the record's group in the frame. */
export const WORD_SEVERITY = 6;
export const GROUP_SHIFT = 8;
/** A number of `Services`. */
export const WORD_SERVICE = 7;
