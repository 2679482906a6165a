import type { ResourceData } from '@tracewell/plugin';
import { UNKNOWN_SERVICE } from '../hot/services.ts';

/** The service that a record comes from. */
export function serviceOf({ resource }: { readonly resource: ResourceData }): string {
  const name = resource.attributes['service.name'];
  return typeof name === 'string' ? name : UNKNOWN_SERVICE;
}
