"""SQS of moto, made prompt and safe for many threads.

As it comes, moto looks for messages once a second while a receiver waits, its lists can lose a message when one thread
sends while another deletes, and with 4,000 messages waiting each send takes 0.1 s and each receipt seconds, since it
asks the clock again and again for every message. With `install` one lock guards all queues, sending and receiving are
one pass over the queue, and a receiver sleeps exactly until a message is sent to its queue or until the next delayed or
invisible one is due. Standard queues only: the order of FIFO queues is not kept.
"""

from __future__ import annotations

import copy
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from moto.sqs.models import Message, Queue, SQSBackend, _filter_message_attributes

_lock = threading.RLock()
_changed: defaultdict[str, threading.Condition] = defaultdict(lambda: threading.Condition(_lock))

# Calls that can make a message visible, and so wake the queue's receivers.
_WAKING = ("send_message", "change_message_visibility", "change_message_visibility_batch")
_SILENT = ("delete_message", "delete_message_batch", "purge_queue", "get_queue_attributes")


def install() -> None:
    """Replace the methods of moto's backend; call it once, before the server starts."""
    for name in (*_WAKING, *_SILENT):
        setattr(SQSBackend, name, _guarded(getattr(SQSBackend, name), wakes=name in _WAKING))
    setattr(SQSBackend, "receive_message", _receive)  # noqa: B010
    for attribute, count in _COUNTS.items():
        setattr(Queue, attribute, property(count))


def _guarded(method: Callable[..., Any], *, wakes: bool) -> Callable[..., Any]:
    def call(backend: SQSBackend, queue_name: str, *arguments: Any, **options: Any) -> Any:
        with _lock:
            result = method(backend, queue_name, *arguments, **options)
            if wakes:
                _changed[queue_name].notify_all()
            return result

    return call


def _receive(
    backend: SQSBackend,
    queue_name: str,
    count: int,
    wait_seconds_timeout: int,
    visibility_timeout: int,
    message_attribute_names: list[str] | None = None,
) -> list[Message]:
    deadline = time.time() + wait_seconds_timeout
    with _lock:
        queue = backend.get_queue(queue_name)
        while True:
            messages = _take(queue, count, visibility_timeout)
            now = time.time()
            if messages or now >= deadline:
                break
            _changed[queue_name].wait(max(0.001, min(deadline, _next_due(queue)) - now))
        for message in messages:
            _filter_message_attributes(message, message_attribute_names or [])
        return messages


def _take(queue: Queue, count: int, visibility_seconds: int) -> list[Message]:
    """Up to `count` visible messages, hidden from now on; what was received too often moves to the dead letters."""
    taken: list[Message] = []
    now = time.time() * 1000
    for message in list(queue._messages):
        if len(taken) == count:
            break
        if max(message.visible_at, message.delayed_until) > now:
            continue
        queue.pending_messages.discard(message)
        if (
            queue.dead_letter_queue is not None
            and queue.redrive_policy
            and message.approximate_receive_count >= queue.redrive_policy["maxReceiveCount"]
        ):
            queue._messages.remove(message)
            queue.dead_letter_queue.add_message(message)
            _changed[queue.dead_letter_queue.name].notify_all()
            continue
        queue.pending_messages.add(message)
        message.mark_received(visibility_timeout=visibility_seconds)
        taken.append(copy.copy(message))
    return taken


def _count(matches: Callable[[Message, float], bool]) -> Callable[[Queue], int]:
    def count(queue: Queue) -> int:
        now = time.time() * 1000
        return sum(matches(message, now) for message in queue._messages)

    return count


# moto works these out each time that it is asked for any attribute of a queue.
_COUNTS = {
    "approximate_number_of_messages": _count(lambda one, now: one.visible_at <= now and one.delayed_until <= now),
    "approximate_number_of_messages_delayed": _count(lambda one, now: one.delayed_until > now),
    "approximate_number_of_messages_not_visible": _count(lambda one, now: one.visible_at > now),
}


def _next_due(queue: Queue) -> float:
    """When the next message will be visible, in seconds since the epoch."""
    due = (max(message.visible_at, message.delayed_until) for message in queue._messages)
    return min(due, default=float("inf")) / 1000
