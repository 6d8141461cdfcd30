"""SQS of moto, made prompt and safe for many threads.

As it comes, moto looks for messages once a second while a receiver waits, and its lists can lose a message when one
thread sends while another deletes. With `install` one lock guards all queues, and a receiver sleeps exactly until a
message is sent to its queue or until the next delayed or invisible one is due.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from moto.sqs.models import Message, Queue, SQSBackend

_lock = threading.RLock()
_changed: defaultdict[str, threading.Condition] = defaultdict(lambda: threading.Condition(_lock))

# Calls that can make a message visible, and so wake the queue's receivers.
_WAKING = ("send_message", "change_message_visibility", "change_message_visibility_batch")
_SILENT = ("delete_message", "delete_message_batch", "purge_queue", "get_queue_attributes")


def install() -> None:
    """Replace the methods of moto's backend; call it once, before the server starts."""
    for name in (*_WAKING, *_SILENT):
        setattr(SQSBackend, name, _guarded(getattr(SQSBackend, name), wakes=name in _WAKING))
    setattr(SQSBackend, "receive_message", _prompt(SQSBackend.receive_message))  # noqa: B010


def _guarded(method: Callable[..., Any], *, wakes: bool) -> Callable[..., Any]:
    def call(backend: SQSBackend, queue_name: str, *arguments: Any, **options: Any) -> Any:
        with _lock:
            result = method(backend, queue_name, *arguments, **options)
            if wakes:
                _changed[queue_name].notify_all()
            return result

    return call


def _prompt(receive: Callable[..., list[Message]]) -> Callable[..., list[Message]]:
    def call(
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
                messages = receive(backend, queue_name, count, 0, visibility_timeout, message_attribute_names)
                now = time.time()
                if messages or now >= deadline:
                    return messages
                _changed[queue_name].wait(max(0.001, min(deadline, _next_due(queue, now)) - now))

    return call


def _next_due(queue: Queue, now: float) -> float:
    """When the next message that is now hidden will be visible, in seconds since the epoch."""
    due = (max(message.visible_at, message.delayed_until) / 1000 + 0.001 for message in queue._messages)
    return min((moment for moment in due if moment > now), default=float("inf"))
