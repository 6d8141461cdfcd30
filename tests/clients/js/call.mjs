// Makes calls with supabase-js, for as long as its standard input is open.
//
// A line of input is {"token": a session's or null, "calls": [...]}, a line of output the answers. A call is
// {"rpc", "args"}, or {"table"} with one of "select", "insert", "update", "delete", and "eq" for the rows meant.
// call.py is the same for supabase-py.
import { createInterface } from "node:readline";
import { createClient } from "@supabase/supabase-js";

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY } = process.env;

function asked(supabase, { rpc, args, table, select, insert, update, eq = {} }) {
  if (rpc) return supabase.rpc(rpc, args);
  const rows = supabase.from(table);
  if (select) return rows.select(select).match(eq);
  if (insert) return rows.insert(insert).select();
  if (update) return rows.update(update).match(eq).select();
  return rows.delete().match(eq).select();
}

for await (const line of createInterface({ input: process.stdin })) {
  const { token, calls } = JSON.parse(line);
  const options = token ? { accessToken: async () => token } : { auth: { persistSession: false, autoRefreshToken: false } };
  const supabase = createClient(SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, options);
  const answers = [];
  for (const call of calls) {
    const { data, error } = await asked(supabase, call);
    answers.push({ data, error: error && { code: error.code, message: error.message, hint: error.hint } });
  }
  console.log(JSON.stringify(answers));
}
