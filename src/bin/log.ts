import { pino, type Logger } from 'pino';
import type { LogLevel } from '../config/index.ts';

/**
 * The process's log, on the standard error stream: lines of JSON, or plain text for a person at a terminal. What a
 * command answers goes to the standard output.
 */
export function openLog(level: LogLevel): Logger {
  const options = { level, redact: ['token', 'password', 'credential', '*.token', '*.password', '*.credential'] };
  if (!process.stderr.isTTY) return pino(options, pino.destination(2));
  return pino({
    ...options,
    transport: {
      target: 'pino-pretty',
      options: { destination: 2, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' },
    },
  });
}
