/** A duration with three significant digits: `850 ns`, `12.3 ms`, `1.24 s`, `2 min 05 s`, `3 h 07 min`. */
export function formatDuration(nanos: bigint): string {
  if (nanos < 0n) return `-${formatDuration(-nanos)}`;
  const value = Number(nanos);
  // Compared as they will be shown, so that 999.96 ms is 1.00 s and not 1000 ms.
  if (value < 999.5) return `${value} ns`;
  if (value < 999.5e3) return `${digits(value / 1e3)} µs`;
  if (value < 999.5e6) return `${digits(value / 1e6)} ms`;
  if (value < 59.95e9) return `${digits(value / 1e9)} s`;
  const seconds = Math.round(value / 1e9);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.round(value / 60e9);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

function digits(value: number): string {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
