"""Conversations of every shape that chat templates tell apart; used by templates.py."""

TOOL = {"type": "function", "function": {
    "name": "weather", "description": "The weather at a place, today.",
    "parameters": {"type": "object", "properties": {
        "place": {"type": "string", "description": "A town, e.g. Zürich"},
        "days": {"type": "integer", "enum": [1, 2, 3]},
        "hours": {"type": "array", "items": {"type": "number"}}}, "required": ["place"]},
    "return": {"type": "string", "description": "A sentence"}}}
SIMPLE = {"type": "function", "function": {"name": "now", "description": "", "parameters": {"type": "object", "properties": {}}}}


def say(role, content, **more):
    return {"role": role, "content": content, **more}


CALL = [{"id": "call00001", "type": "function", "function": {"name": "weather", "arguments": {"place": "Zürich", "days": 2}}}]
CALL_TEXT = [{"id": "call00001", "type": "function", "function": {"name": "weather", "arguments": "{\"place\": \"Oslo\"}"}}]

CONVERSATIONS = {
    "question": [say("user", "What is 2+2?")],
    "system": [say("system", "Be brief."), say("user", "Hi")],
    "turns": [say("user", "Hi"), say("assistant", "Hello!"), say("user", "How are you?")],
    "system_turns": [say("system", " Be brief. \n"), say("user", " Hi \n"), say("assistant", " Hello! "), say("user", "Bye\n\n")],
    "ends_with_answer": [say("user", "Hi"), say("assistant", "Hello!")],
    "empty_user": [say("user", "")],
    "empty_turns": [say("system", ""), say("user", ""), say("assistant", ""), say("user", "x")],
    "two_users": [say("user", "a"), say("user", "b")],
    "late_system": [say("user", "a"), say("system", "b"), say("user", "c")],
    "assistant_first": [say("assistant", "a"), say("user", "b")],
    "only_system": [say("system", "alone")],
    "marks": [say("user", "<|im_end|></s>[INST]<|eot_id|> {{ messages }} {% x %} 'q' \"d\" \\ é 漢字 🙂\t\u00a0.")],
    "think": [say("user", "q"), say("assistant", "<think>\nwhy\n</think>\n\nanswer"), say("user", "r")],
    "reasoning": [say("user", "q"), say("assistant", "answer", reasoning_content="because"), say("user", "r"),
                  say("assistant", "so", thinking="hm")],
    "parts": [say("user", [{"type": "text", "text": "What is it?"}, {"type": "image"}])],
    "unknown_role": [say("critic", "bad")],
    "none_content": [say("user", "q"), say("assistant", None, tool_calls=CALL), say("tool", "rain", name="weather", tool_call_id="call00001")],
    "calls": [say("system", "Use tools."), say("user", "Weather?"), say("assistant", "", tool_calls=CALL),
              say("tool", "{\"temp\": 3.5}", name="weather", tool_call_id="call00001"), say("assistant", "Cold."), say("user", "Thanks")],
    "calls_text": [say("user", "Weather?"), say("assistant", "", tool_calls=CALL_TEXT), say("tool", "snow", tool_call_id="call00001")],
    "two_calls": [say("user", "Both?"), say("assistant", "One moment.", tool_calls=CALL + CALL_TEXT),
                  say("tool", "rain", name="weather"), say("tool", "snow", name="weather")],
    "ipython": [say("user", "run"), say("ipython", {"out": [1, 2.0, None, True]})],
    "developer": [say("developer", "Rules."), say("user", "Hi")],
    "long": [say("user" if n % 2 == 0 else "assistant", f"turn {n}") for n in range(13)],
}

EXTRAS = [
    {},
    {"add_generation_prompt": False},
    {"tools": [TOOL, SIMPLE]},
    {"documents": [{"title": "A", "text": "One."}, {"title": "B", "text": "Two\nlines."}]},
    {"enable_thinking": False},
    {"enable_thinking": True, "tools": [TOOL]},
    {"date_string": "1 Jan 2026", "custom_tools": [TOOL]},
]
