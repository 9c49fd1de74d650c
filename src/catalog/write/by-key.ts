/**
 * Ends an `exists` or a lateral join that is to be asked for each row by its key. Without it the planner may turn it
 * round and read a whole table, which costs more with every image that there is.
 */
export const BY_KEY = 'offset 0';
