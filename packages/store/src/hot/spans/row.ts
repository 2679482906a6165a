// One span as numbers, on its way from the bytes of a frame into a block: ROW_WORDS 32-bit words, one row after
// the other. The first eight are what a block keeps as a record.

/** 32-bit words of a row. */
export const ROW_WORDS = 10;

/** The last 8 bytes of the trace id, as two big-endian numbers: the ones that are random in every id format. */
export const WORD_TRACE_HIGH = 0;
export const WORD_TRACE_LOW = 1;
/** The last 4 bytes of the span id, big-endian. */
export const WORD_SPAN_KEY = 2;
/** The start in nanoseconds, as unsigned halves. */
export const WORD_START_HIGH = 3;
export const WORD_START_LOW = 4;
/** The duration in nanoseconds, as a 32-bit float; 0 if the span ends before it starts. */
export const WORD_DURATION = 5;
/** Where the Span message starts in the payload (in a block: in the segment), and its length. */
export const WORD_OFFSET = 6;
export const WORD_LENGTH = 7;
/** A number of `Operations`. */
export const WORD_OPERATION = 8;
/** The flags below in the low 8 bits, above them the number of the span's group in the frame. */
export const WORD_FLAGS = 9;
export const GROUP_SHIFT = 8;

/** The status code, 0 to 2. */
export const FLAG_STATUS = 0b0000_0011;
/** The kind, 0 to 5. */
export const FLAG_KIND = 0b0001_1100;
export const FLAG_KIND_SHIFT = 2;
/** The span has no parent. */
export const FLAG_ROOT = 0b0010_0000;
/** A copy of a span that another row of the same block stands for. */
export const FLAG_COPY = 0b0100_0000;
/** A copy of a span that a row of another block stands for; not saved, since that block's segment may go. */
export const FLAG_COPY_ELSEWHERE = 0b1000_0000;
export const FLAG_HIDDEN = FLAG_COPY | FLAG_COPY_ELSEWHERE;
