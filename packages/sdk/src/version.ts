/** The version of the SDK, as `telemetry.sdk.version` says it; a test holds it to package.json. */
export const VERSION = '0.1.0';
