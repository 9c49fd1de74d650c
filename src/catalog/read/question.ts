import { Sql } from 'sql-template-tag';
import type { Connection, Statement } from '../database.ts';

/**
 * Stands in a statement for a part of it that follows from what another statement reads, such as which packages have
 * versions in a range: their order is known to no database.
 */
export class Question {
  readonly answer: (connection: Connection) => Promise<Sql>;

  constructor(answer: (connection: Connection) => Promise<Sql>) {
    this.answer = answer;
  }
}

/** The same connection, for statements that may have questions in them: these are asked first, one after the other. */
export function answering(connection: Connection): Connection {
  return {
    run: (text, values) => connection.run(text, values),
    query: async (statement) => connection.query(await answered(connection, statement)),
  };
}

async function answered(connection: Connection, statement: Statement): Promise<Statement> {
  const hasQuestions = statement.values.some((value) => value instanceof Question);
  if (!hasQuestions || !(statement instanceof Sql)) return statement;
  const values: unknown[] = [];
  for (const value of statement.values) {
    values.push(value instanceof Question ? await value.answer(connection) : value);
  }
  return new Sql(statement.strings, values);
}
