/** Bytes of a page that do not make sense. The reader of the file turns it into an error that names the file. */
export class DamagedPage extends Error {}
