"""The fault proxy: stands at the ring's addresses before the object servers and breaks on demand.

Started by the holder as `python3 -m swiftlab.fault_proxy DIRECTORY`. One process serves all object
servers of a lab; rules, counts and recording are set at <directory>/run/fault.sock (JSON lines).
"""

import asyncio
import itertools
import json
import os
import sys

from . import control, fault_rules, http_stream, layout, spec

# These go both ways at once (SSYNC; PUT waits for 100 Continue), so their connection is tunnelled.
TUNNELLED = ('PUT', 'SSYNC')


class _Struck(Exception):
    """A rule ends this connection now."""


class _Fault:
    """Applies a byte-level rule (cut, stall, flip) to one stream of payload."""

    def __init__(self, rule, length, released):
        self._rule = rule
        self._at = None
        self._seen = 0
        self._released = released
        if rule and rule.action in ('cut', 'stall', 'flip'):
            self._at = rule.at + (length or 0) if rule.at < 0 else rule.at

    async def pass_on(self, writer, piece, payload_bytes):
        start, self._seen = self._seen, self._seen + payload_bytes
        if self._at is None or not payload_bytes or not start <= self._at < self._seen:
            await _send(writer, piece)
            return
        offset = self._at - start
        if self._rule.action == 'flip':
            await _send(writer, piece[:offset] + bytes([piece[offset] ^ 0x40])
                        + piece[offset + 1:])
            return
        await _send(writer, piece[:offset])
        if self._rule.action == 'stall':
            await self._released.wait()
        raise _Struck


async def _send(writer, data):
    writer.write(data)
    await writer.drain()


class FaultProxy:
    """All listeners of a lab. Runs on one asyncio loop; rules act at the next request."""

    def __init__(self, place):
        self._place = place
        self._rules = fault_rules.RuleBook()
        self._released = asyncio.Event()
        self._record_folder = None
        self._connections = itertools.count(1)

    async def serve(self):
        for node in self._place.nodes:
            await asyncio.start_server(
                lambda reader, writer, node=node: self._connection(node, reader, writer),
                node.ring_ip, node.port, limit=http_stream.HEAD_BYTES_MAX, backlog=1024)
        server = await asyncio.start_unix_server(
            self._control, sock=control.listen(self._place.fault_socket))
        await server.serve_forever()

    async def _control(self, reader, writer):
        try:
            answer = self._operate(json.loads(await reader.readline()))
        except Exception as error:  # The asker gets any failure; the proxy must live on.
            answer = {'error': f'{type(error).__name__}: {error}'}
        await _send(writer, json.dumps(answer).encode() + b'\n')
        writer.close()

    def _operate(self, request):
        operation = request['op']
        if operation == 'add':
            self._rules.add(request['rule'])
        elif operation == 'clear':
            self._rules.clear()
            self._released.set()
            self._released = asyncio.Event()
        elif operation == 'counts':
            return {'counts': self._rules.counts(request.get('reset', False))}
        elif operation == 'record':
            self._record_folder = request['folder']
            if self._record_folder:
                os.makedirs(self._record_folder, exist_ok=True)
        else:
            raise ValueError(f'unknown operation {operation}')
        return {}

    async def _connection(self, node, reader, writer):
        wire = _Wire(reader, writer, self._recording(node))
        upstream = None
        try:
            while head := await http_stream.read_head(wire):
                verb, target = head.words[0], head.words[1]
                rule = self._rules.choose(node.number, verb, target)
                await self._before(rule, wire)
                if upstream is None:
                    upstream = await asyncio.open_connection(
                        node.bind_ip, node.port, limit=http_stream.HEAD_BYTES_MAX)
                if verb in TUNNELLED or head.is_chunked:
                    await self._tunnel(head, rule, wire, upstream)
                    break
                if not await self._exchange(head, verb, rule, wire, upstream):
                    break
        except (_Struck, ConnectionError, asyncio.IncompleteReadError, OSError):
            pass
        finally:
            for stream in (wire, upstream[1] if upstream else None):
                if stream:
                    stream.close()

    def _recording(self, node):
        number = next(self._connections)
        if not self._record_folder:
            return None
        stem = os.path.join(self._record_folder, f'server{node.number}-{number:06d}')
        return open(f'{stem}.request', 'wb', buffering=0), open(f'{stem}.response', 'wb',
                                                                buffering=0)

    async def _before(self, rule, wire):
        """What a rule does before the server hears of the request."""
        if rule is None:
            return
        if rule.action == 'delay':
            await asyncio.sleep(rule.seconds)
        elif rule.action == 'hang':
            await self._released.wait()
            raise _Struck
        elif rule.action == 'drop':
            raise _Struck
        elif rule.action == 'status':
            await _send(wire, (f'HTTP/1.1 {rule.status} Fault\r\nContent-Length: 0\r\n'
                               'Connection: close\r\n\r\n').encode())
            raise _Struck

    async def _exchange(self, head, verb, rule, wire, upstream):
        """One request and its answer; returns whether the connection may carry another."""
        up_reader, up_writer = upstream
        await _send(up_writer, head.raw)
        left = head.content_length or 0
        while left:
            piece = await wire.read(min(left, http_stream.PIECE_BYTES))
            if not piece:
                return False
            left -= len(piece)
            await _send(up_writer, piece)
        answer = await http_stream.read_head(up_reader)
        if answer is None:
            return False
        await _send(wire, answer.raw)
        fault = _Fault(rule, answer.content_length, self._released)
        async for piece, payload_bytes in http_stream.response_payload(up_reader, answer, verb):
            await fault.pass_on(wire, piece, payload_bytes)
        return not (answer.closes or head.closes)

    async def _tunnel(self, head, rule, wire, upstream):
        """Passes everything both ways until one side closes."""
        up_reader, up_writer = upstream
        await _send(up_writer, head.raw)

        async def pump(reader, writer, fault):
            while piece := await reader.read(http_stream.PIECE_BYTES):
                await fault.pass_on(writer, piece, len(piece))
            if writer.can_write_eof():
                writer.write_eof()

        def fault_for(side):
            return _Fault(rule if rule and rule.side == side else None, None, self._released)
        ways = [asyncio.ensure_future(pump(wire, up_writer, fault_for('request'))),
                asyncio.ensure_future(pump(up_reader, wire, fault_for('response')))]
        try:
            # The server's end, or a fault, ends the connection; the client's end alone does not.
            done, _ = await asyncio.wait([ways[1]] + [ways[0]],
                                         return_when=asyncio.FIRST_COMPLETED)
            if ways[1] not in done and not ways[0].exception():
                await ways[1]
            for way in done:
                way.result()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)


class _Wire:
    """The client's side of a connection, both ways, recorded if wished."""

    def __init__(self, reader, writer, recording):
        self._reader = reader
        self._writer = writer
        self._recording = recording

    async def readuntil(self, separator):
        data = await self._reader.readuntil(separator)
        self._note(0, data)
        return data

    async def read(self, limit):
        data = await self._reader.read(limit)
        self._note(0, data)
        return data

    def write(self, data):
        self._note(1, data)
        self._writer.write(data)

    async def drain(self):
        await self._writer.drain()

    def can_write_eof(self):
        return self._writer.can_write_eof()

    def write_eof(self):
        self._writer.write_eof()

    def close(self):
        self._writer.close()
        for file in self._recording or ():
            file.close()
        self._recording = None

    def _note(self, way, data):
        if self._recording:
            self._recording[way].write(data)


def main():
    directory = sys.argv[1]
    with open(os.path.join(directory, 'lab.json'), encoding='utf-8') as state_file:
        state = json.load(state_file)
    place = layout.Layout(directory, spec.LabSpec.from_dict(state['spec']))

    async def serve():
        await FaultProxy(place).serve()
    asyncio.run(serve())


if __name__ == '__main__':
    main()
