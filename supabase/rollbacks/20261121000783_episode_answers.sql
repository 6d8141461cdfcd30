do $$
begin
    if to_regclass('realtime.messages') is not null then
        execute 'drop policy if exists "People follow their own conversations" on realtime.messages';
    end if;
end
$$;
drop trigger answers_are_broadcast on public.chat_messages;
drop function private.broadcast_answer();
drop function public.cancel_answer(uuid);
drop function private.cancel_answer(uuid);
drop function public.ask_question(uuid, text, text);
drop function private.ask_question(uuid, text, text);
drop function private.check_can_be_asked(public.chat_sessions);
drop function private.conversation_to_ask_in(uuid);
drop function private.check_questions_left(uuid);
drop trigger productions_of_deleted_answers_are_forgotten on public.chat_messages;
drop trigger answer_shows_production on public.productions;
drop function engine.project_onto_answer();
delete from public.productions where kind = 'answer';
drop view engine.desired_answer_question;
delete from engine.pipelines where kind = 'answer';

drop policy "workers may update" on public.chat_messages;
revoke update on public.chat_messages from showrunner_worker;
delete from public.chat_messages where in_reply_to is not null;
alter table public.chat_messages
    drop constraint answers_have_a_question_and_a_status,
    drop constraint content_has_1_to_20000_characters_once_it_is_whole,
    add constraint content_has_1_to_20000_characters check (content ~ '\S' and length(content) <= 20000),
    drop column citations,
    drop column error,
    drop column status,
    drop column in_reply_to;
comment on table public.chat_messages is 'What was said, in order of created_at; never changed.';
alter table public.tier_limits drop column questions_daily;
