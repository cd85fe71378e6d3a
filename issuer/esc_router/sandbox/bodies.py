"""Reading a request's body ahead of who serves it, and giving it to them again (ASGI)."""

from collections.abc import Sequence

from starlette.types import Message, Receive

MAX_KEPT_BYTES = 8 * 1024 * 1024  # more is not kept: the rest is then still to be received


async def read_ahead(receive: Receive) -> list[Message]:
    """The messages of a body, as many of them as are kept."""
    messages = [await receive()]
    received = len(messages[0].get("body", b""))
    while messages[-1].get("more_body") and received <= MAX_KEPT_BYTES:
        messages.append(await receive())
        received += len(messages[-1].get("body", b""))
    return messages


def is_whole(messages: Sequence[Message]) -> bool:
    """Whether nothing is left to be received."""
    return not messages[-1].get("more_body")


def body_of(messages: Sequence[Message]) -> bytes:
    """What was kept."""
    return b"".join(message.get("body", b"") for message in messages)


def again(messages: Sequence[Message], receive: Receive) -> Receive:
    """Receive what was kept, and then what follows."""
    kept = iter(messages)

    async def replay() -> Message:
        message = next(kept, None)
        return await receive() if message is None else message

    return replay
