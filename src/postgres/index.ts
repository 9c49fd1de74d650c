// The PostgreSQL that Stowage brings along for those who have none: see docs/adr/0001-embedded-postgresql.md.
export { startEmbedded, type EmbeddedServer, type EmbeddedSettings } from './server.ts';
