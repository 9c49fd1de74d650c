import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import pg from 'pg';
import { answerCalls } from '../part.ts';
import { QUESTIONS, type Question } from './questions.ts';

let pool: pg.Pool;

/** The least that can answer: one prepared statement for each question, which is the path; its one value is the answer. */
async function start(databaseUrl: string): Promise<string> {
  pool = new pg.Pool({ connectionString: databaseUrl, max: 8 });
  // The answer stays the text that PostgreSQL made.
  pg.types.setTypeParser(pg.types.builtins.JSON, (text) => text);
  const server = createServer((request, response) => {
    const name = request.url?.slice(1) ?? '';
    const { sql } = (QUESTIONS as Record<string, Question>)[name] ?? { sql: '' };
    answer(request, response, name, sql).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function answer(request: IncomingMessage, response: ServerResponse, name: string, text: string): Promise<void> {
  const values = (await json(request)) as unknown[];
  const { rows } = await pool.query<{ answer: string }>({ name, text, values });
  const body = `{"data":${rows[0]?.answer ?? 'null'}}`;
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

answerCalls({ start, cpu: () => process.cpuUsage() });
