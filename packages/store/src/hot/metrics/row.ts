// One data point as numbers, on its way from the bytes of a frame into a block: ROW_WORDS 32-bit words, one row after
// the other. The first four are what a block keeps as a record.

/** 32-bit words of a row. */
export const ROW_WORDS = 5;

/** When it was taken: nanoseconds as unsigned halves. */
export const WORD_TIME_HIGH = 0;
export const WORD_TIME_LOW = 1;
/** Where the point's message starts in the payload (in a block: in the segment), and its length. */
export const WORD_OFFSET = 2;
export const WORD_LENGTH = 3;
/** A number of `SeriesTable`. */
export const WORD_SERIES = 4;
