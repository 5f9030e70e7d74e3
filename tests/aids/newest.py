"""The newest reply of a chat, found in plain Python: what the database is compared with."""

from jupyter_stop_chat.wire.objects import TERMINAL


def newest_reply(messages):
    """Return the newest reply that ends a thread and stands, or None."""
    parents = {message.id: message.reply_to for message in messages}
    coming = {message.id: True for message in messages if message.state not in TERMINAL}

    def is_coming(message_id):
        path = []
        while message_id is not None and message_id not in coming and message_id in parents:
            coming[message_id] = False
            path.append(message_id)
            message_id = parents[message_id]
        answer = message_id is not None and coming.get(message_id, False)
        coming.update(dict.fromkeys(path, answer))
        return answer

    found = [
        message.id
        for message in messages
        if message.role == "assistant" and not message.discarded and not is_coming(message.id)
    ]
    followed = set()
    for message_id in found:
        parent = parents[message_id]
        while parent is not None and parent not in followed:
            followed.add(parent)
            parent = parents.get(parent)
    return next((each for each in reversed(found) if each not in followed), None)
