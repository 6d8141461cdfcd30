// Supabase's API (compatible with PostgREST and GoTrue) in front of a Postgres that has the migrations.
//
// Takes DATABASE_URL, JWT_SECRET, PUBLISHABLE_KEY and SECRET_KEY from the environment. Prints its address as JSON once
// it listens, and ends with its standard input, so that it never outlives whoever started it.
import { createAdaptorServer } from "@hono/node-server";
import { App } from "@supabase/lite";
import { createPostgresConnection } from "@supabase/lite/postgres";
import { statusOf } from "./error_status.mjs";

const { DATABASE_URL, JWT_SECRET, PUBLISHABLE_KEY, SECRET_KEY } = process.env;

// Numbers and times as PostgREST and GoTrue write them: 1, not "1.00"; 2026-11-21T09:30:00.5+00:00, not Postgres's text.
const types = {
  numeric: { to: 1700, from: [1700], serialize: String, parse: Number },
  timestamptz: {
    to: 1184,
    from: [1184],
    serialize: (value) => value,
    parse: (text) => text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00"),
  },
};
const connection = createPostgresConnection({ url: DATABASE_URL, postgresOptions: { max: 8, types } });

// At the first request it would grant every table to every role, as suits a project without migrations of its own.
// Here the migrations say who may do what, as they do on Supabase; a test compares the grants.
connection.rlsState = "active";

// It has rules for some of Postgres's error codes and calls the others "SUP". PostgREST passes all of them on.
const normalizeDbError = connection.normalizeDbError.bind(connection);
connection.normalizeDbError = (thrown) => {
  const error = normalizeDbError(thrown);
  const status = statusOf(error?.code);
  if (status === undefined) return error;
  const { code, message, detail = null, hint = null } = error;
  return Object.assign(new Error(JSON.stringify({ code, message, details: detail, hint })), {
    code: "PGRST",
    detail: JSON.stringify({ status, headers: {} }),
  });
};

const app = new App({
  connection,
  api: { schemas: ["public"] },
  auth: {
    enabled: true,
    jwt_secret: JWT_SECRET,
    publishable_key: PUBLISHABLE_KEY,
    secret_key: SECRET_KEY,
    email: { enable_confirmations: false },
  },
});

// No peer address: nothing is ever answered with the rights of a local administrator.
const server = createAdaptorServer({ fetch: (request) => app.fetch(request, { peerAddress: null }) });
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }));
});

process.stdin.resume().on("end", () => process.exit(0));
