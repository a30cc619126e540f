declare module "*.css";

/** The version of the service, which build.mjs puts in. */
declare const VERSION: string;
