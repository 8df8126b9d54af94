import manifest from "../package.json" with { type: "json" };

/** Version of everything in this repository: service, interface and command line. */
export const VERSION: string = manifest.version;
