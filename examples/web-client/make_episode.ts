// Makes one episode of a text and prints where it can be heard.
//
//     node make_episode.ts article.md
//
// Needs SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY and SHOWRUNNER_URL, and an account's EMAIL and PASSWORD. A web app does
// the same with its bundler's settings in place of `process.env`.
import { readFile } from "node:fs/promises";
import { createClient } from "@supabase/supabase-js";
import type { Database } from "../../clients/typescript/database.types.ts";

type Tables = Database["public"]["Tables"];
type Production = Pick<Tables["productions"]["Row"], "status" | "progress" | "current_stage" | "error">;

const env = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};
const supabase = createClient<Database>(env("SUPABASE_URL"), env("SUPABASE_PUBLISHABLE_KEY"));

async function signIn(): Promise<string> {
  const { data, error } = await supabase.auth.signInWithPassword({ email: env("EMAIL"), password: env("PASSWORD") });
  if (error) throw error;
  return data.user.id;
}

async function request(organization_id: string, content: string): Promise<{ episode: string; production: string }> {
  const show: Tables["projects"]["Insert"] = { organization_id, name: "My show", target_minutes: 1 };
  const { data: project } = await supabase.from("projects").insert(show).select("id").single().throwOnError();
  const ofShow = { organization_id, project_id: project.id };
  await supabase.from("sources").insert({ ...ofShow, kind: "markdown", content }).throwOnError();
  const { data: episode } = await supabase
    .from("episodes")
    .insert(ofShow as Tables["episodes"]["Insert"]) // number and target_minutes are the database's to fill
    .select("id")
    .single()
    .throwOnError();
  const asked = { kind: "episode", subject_id: episode.id, idempotency_key: crypto.randomUUID() };
  const { data: production } = await supabase.rpc("request_production", asked).throwOnError();
  return { episode: episode.id, production };
}

async function finished(id: string): Promise<Production> {
  for (;;) {
    const { data } = await supabase
      .from("productions")
      .select("status, progress, current_stage, error")
      .eq("id", id)
      .single()
      .throwOnError();
    console.error(`${data.status} ${data.current_stage ?? ""} ${data.progress} %`);
    if (["completed", "failed", "cancelled", "waiting"].includes(data.status)) return data;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function address(episode: string): Promise<string> {
  const { data } = await supabase
    .from("episodes")
    .select("audio_asset_id, show:projects!episodes_organization_id_project_id_fkey(feeds(token))")
    .eq("id", episode)
    .single()
    .throwOnError();
  return `${env("SHOWRUNNER_URL")}/media/${data.show.feeds[0].token}/${data.audio_asset_id}.mp3`;
}

const user = await signIn(); // the id of the personal organization too
const { episode, production } = await request(user, await readFile(process.argv[2] ?? "article.md", "utf8"));
const made = await finished(production);
if (made.status !== "completed") throw new Error(`${made.status}: ${made.error}`);
console.log(await address(episode));
await supabase.auth.signOut();
