from tests.sim.emulator.wire import answered, conversation, scripted


async def test_an_undeclared_function_is_not_called() -> None:
    """The response fails with the reason, and the client is blamed: its update of the tools may have been refused."""
    script = scripted({"say": "Let me look.", "call": {"name": "lookup"}})
    response, violations = await answered(script, tools=[{"type": "function", "name": "weather"}])
    assert (response["status"], response["output"]) == ("failed", [])
    assert response["status_details"]["error"]["message"] == "The session has no function 'lookup'."
    assert violations == ["undeclared_function: The session has no function 'lookup'."]


async def test_functions_of_a_response_count_as_declared() -> None:
    """``response.create`` may bring its own tools."""
    async with conversation(scripted({"call": {"name": "lookup"}})) as (wire, session):
        typed = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello?"}]}
        await wire.send("conversation.item.create", item=typed)
        await wire.send("response.create", response={"tools": [{"type": "function", "name": "lookup"}]})
        assert (await wire.until("response.done"))["response"]["status"] == "completed"
        assert session.violations == []
