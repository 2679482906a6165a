/** The oldest version of Node.js that the packages run on: `engines` of their manifests. */
export const OLDEST_NODE = '22.18';

/** Whether the packages run on a version of Node.js (`process.versions.node`). */
export function isSupportedNode(version: string): boolean {
  const [major, minor] = version.split('.').map(Number) as [number, number];
  const [oldestMajor, oldestMinor] = OLDEST_NODE.split('.').map(Number) as [number, number];
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
