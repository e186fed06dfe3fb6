"""The reaction of the service to each client event: the conversation of one connection."""

from collections.abc import Awaitable, Callable

from gateway.sim.emulator.dialogue import Dialogue
from gateway.sim.emulator.history import History
from gateway.sim.emulator.items import created_item
from gateway.sim.emulator.listening.floor import Floor, Spawn
from gateway.sim.emulator.listening.turns import Turns
from gateway.sim.emulator.mcp import McpServers
from gateway.sim.emulator.outgoing import Outgoing
from gateway.sim.emulator.record import Event, Rejected
from gateway.sim.emulator.refusing.responses import Requests
from gateway.sim.emulator.refusing.sessions import Configuration
from gateway.sim.emulator.script import Script
from gateway.sim.emulator.settings.engine import Engine
from gateway.sim.emulator.settings.settings import Settings, parse_response
from gateway.sim.emulator.speaking.response import Scene
from gateway.sim.emulator.speaking.usage import TokenQuota


class Service:
    """The service of one connection. ``violated`` gets what only an observer minds, ``audio_came`` the audio."""

    def __init__(
        self,
        script: Script,
        engine: Engine,
        out: Outgoing,
        spawn: Spawn,
        *,
        configuration: Configuration,
        requests: Requests,
        features: str,
        quota: TokenQuota,
        violated: Callable[[str, str], None],
        audio_came: Callable[[bytes], None],
    ) -> None:
        self._out = out
        self._configuration = configuration
        self._requests = requests
        self._violated = violated
        self._audio_came = audio_came
        self._takes_written = script.input_text == "taken"
        self._written: dict[str, str] = {}
        self.settings = Settings(
            engine,
            strict=script.strict,
            expire_after_s=script.faults.expire_after_s,
            features=features,
            overrides=script.echo,
        )
        self.history = History(native=engine.native)
        self._dialogue = Dialogue(script)
        self._mcp = McpServers(script, self.history, out, self._dialogue, spawn, engine.native)
        scene = Scene(script, self.settings, self.history, out, self._mcp, spawn, violated, quota)
        self._floor = Floor(scene, self._dialogue, spawn)
        self.turns = Turns(scene, self._floor, self._dialogue, spawn)

    async def take(self, event: Event) -> None:
        """Carry out a client event; :class:`Rejected` where the service would answer with an error."""
        self._configuration.take(event)
        event_type = str(event.get("type"))
        do = _TAKERS.get(event_type)
        if do is None:
            raise Rejected(f"Invalid value for 'type': {event_type!r}.", code="invalid_value", param="type")
        await do(self, event)

    async def update_session(self, event: Event) -> None:
        """Carry out ``session.update``: everything or nothing of it, answered with the whole session."""
        self._configuration.check(event.get("session"))
        self.settings.update(
            event.get("session"),
            audio_received=self.turns.appended_bytes > 0,
            has_spoken=any(entry.audio_ms for entry in self.history.entries),
        )
        self._configuration.accepted = True
        self.turns.settings_changed()
        await self._out.emit("session.updated", session=self.settings.echo)
        self._mcp.declared(self.settings.echo["tools"])

    async def update_transcription(self, event: Event) -> None:
        """Carry out ``transcription_session.update``, as OpenAI has it: what concerns the caller's audio alone."""
        session = event.get("session")
        other = [key for key in session if key not in _OF_TRANSCRIPTION] if isinstance(session, dict) else []
        if other:
            param = f"session.{other[0]}"
            raise Rejected(f"Unknown parameter: '{param}'.", code="unknown_parameter", param=param)
        self._configuration.check(session)
        self.settings.update(session, audio_received=self.turns.appended_bytes > 0, has_spoken=False)
        self._configuration.accepted = True
        self.turns.settings_changed()
        echo = self.settings.echo
        shown = {key: echo.get(key) for key in ("id", "expires_at", *_OF_TRANSCRIPTION)}
        await self._out.emit(
            "transcription_session.updated", session={**shown, "object": "realtime.transcription_session"}
        )

    async def write_text(self, event: Event) -> None:
        """Carry out ``input_text.delta``: a part of a message that the user types."""
        item_id, delta = self._written_id(event), event.get("delta")
        if not isinstance(delta, str):
            raise Rejected("Missing required parameter: 'delta'.", code="missing_required_parameter", param="delta")
        self._written[item_id] = self._written.get(item_id, "") + delta

    async def finish_text(self, event: Event) -> None:
        """Carry out ``input_text.done``: what was typed becomes an item of the user."""
        item_id = self._written_id(event)
        content = [{"type": "input_text", "text": self._written.pop(item_id, "")}]
        await self.create_item({"item": {"id": item_id, "type": "message", "role": "user", "content": content}})

    def _written_id(self, event: Event) -> str:
        if not self._takes_written:
            kind = str(event.get("type"))
            raise Rejected(f"Invalid value for 'type': {kind!r}.", code="invalid_value", param="type")
        if not isinstance(event.get("id"), str):
            raise Rejected("Missing required parameter: 'id'.", code="missing_required_parameter", param="id")
        return str(event["id"])

    async def connect_avatar(self, _event: Event) -> None:
        """Refuse ``session.avatar.connect``: nothing here draws a face. It is no violation."""
        raise Rejected(
            "This emulator has no avatars: it sends neither an SDP answer nor video.",
            code="avatar_not_supported",
            param="type",
            harmless=True,
        )

    async def append_audio(self, event: Event) -> None:
        """Carry out ``input_audio_buffer.append``."""
        self._audio_came(await self.turns.append(event.get("audio")))

    async def commit_audio(self, _event: Event) -> None:
        """Carry out ``input_audio_buffer.commit``."""
        await self.turns.commit()

    async def clear_audio(self, _event: Event) -> None:
        """Carry out ``input_audio_buffer.clear``."""
        await self.turns.clear()

    async def create_item(self, event: Event) -> None:
        """Carry out ``conversation.item.create``; what a user types counts as a turn of the script."""
        item = created_item(
            event.get("item"),
            self.history,
            native=self.settings.native,
            api_version=self.settings.engine.api_version,
            asked=self._mcp.awaits_approval,
        )
        previous = event.get("previous_item_id") or self.history.previous_of_client_item()
        self.history.add(item, from_client=True, after=event.get("previous_item_id"))
        if item["type"] == "function_call_output":
            self._dialogue.output_came()
        elif item.get("role") == "user":
            self._dialogue.turn_taken(0)
        await self._out.emit("conversation.item.created", previous_item_id=previous, item=item)
        if item["type"] == "mcp_approval_response":
            approved = await self._mcp.answered(item)
            if approved is not None:
                self._floor.make_call(approved)

    async def retrieve_item(self, event: Event) -> None:
        """Carry out ``conversation.item.retrieve``."""
        await self._out.emit("conversation.item.retrieved", item=self.history.retrieve(event.get("item_id")))

    async def delete_item(self, event: Event) -> None:
        """Carry out ``conversation.item.delete``."""
        self.history.delete(event.get("item_id"))
        await self._out.emit("conversation.item.deleted", item_id=event.get("item_id"))

    async def truncate_item(self, event: Event) -> None:
        """Carry out ``conversation.item.truncate``."""
        about = {key: event.get(key) for key in ("item_id", "content_index", "audio_end_ms")}
        self._requests.check_truncate(event, active=self._floor.active is not None)
        self.history.truncate(**about)
        await self._out.emit("conversation.item.truncated", **about)

    async def create_response(self, event: Event) -> None:
        """Carry out ``response.create``."""
        self._requests.check_response(event.get("response"))
        self._floor.create(parse_response(event.get("response"), self.settings), self.turns.ready)

    async def cancel_response(self, event: Event) -> None:
        """Carry out ``response.cancel``."""
        if self._floor.interrupted_by_service:
            self._violated("redundant_cancel", "response.cancel after the service had cancelled by itself")
        self._floor.cancel(event.get("response_id"))

    async def clear_output(self, _event: Event) -> None:
        """Carry out ``output_audio_buffer.clear``: it is answered, and concerns the playback of avatars alone."""
        await self._out.emit("output_audio_buffer.cleared")


_OF_TRANSCRIPTION = (
    "input_audio_format",
    "input_audio_sampling_rate",
    "input_audio_transcription",
    "turn_detection",
    "input_audio_noise_reduction",
    "input_audio_echo_cancellation",
    "include",
)
"""The members of a session that concern the caller's audio alone."""
_TAKERS: dict[str, Callable[[Service, Event], Awaitable[None]]] = {
    "session.update": Service.update_session,
    "transcription_session.update": Service.update_transcription,
    "session.avatar.connect": Service.connect_avatar,
    "input_text.delta": Service.write_text,
    "input_text.done": Service.finish_text,
    "input_audio_buffer.append": Service.append_audio,
    "input_audio_buffer.commit": Service.commit_audio,
    "input_audio_buffer.clear": Service.clear_audio,
    "conversation.item.create": Service.create_item,
    "conversation.item.retrieve": Service.retrieve_item,
    "conversation.item.delete": Service.delete_item,
    "conversation.item.truncate": Service.truncate_item,
    "response.create": Service.create_response,
    "response.cancel": Service.cancel_response,
    "output_audio_buffer.clear": Service.clear_output,
}
