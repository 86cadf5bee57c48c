"""Just enough HTTP/1.1 for the fault proxy: heads, and bodies as streams of payload."""

import asyncio

HEAD_BYTES_MAX = 1 << 18
PIECE_BYTES = 1 << 16


class Head:
    """A request or response head, with its raw bytes."""

    def __init__(self, raw):
        self.raw = raw
        lines = raw.decode('latin-1').split('\r\n')
        self.first_line = lines[0]
        self.headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(':')
            if colon:
                self.headers[name.strip().lower()] = value.strip()

    @property
    def words(self):
        return self.first_line.split(' ')

    @property
    def is_chunked(self):
        return self.headers.get('transfer-encoding', '').lower() == 'chunked'

    @property
    def content_length(self):
        return int(self.headers['content-length']) if 'content-length' in self.headers else None

    @property
    def closes(self):
        return self.headers.get('connection', '').lower() == 'close'


async def read_head(reader):
    """The next head, or None when the peer closed before one."""
    try:
        return Head(await reader.readuntil(b'\r\n\r\n'))
    except asyncio.IncompleteReadError:
        return None


async def response_payload(reader, head, verb):
    """Yields (bytes to send, bytes that are payload): the framing of chunks has payload 0.

    A body without a length, on a connection that closes, ends with the connection.
    """
    status = int(head.words[1])
    if verb == 'HEAD' or status in (204, 304) or head.content_length == 0:
        return
    if head.is_chunked:
        async for piece in _chunks(reader):
            yield piece
        return
    left = head.content_length
    while left is None or left > 0:
        piece = await reader.read(PIECE_BYTES if left is None else min(left, PIECE_BYTES))
        if not piece:
            return
        if left is not None:
            left -= len(piece)
        yield piece, len(piece)


async def _chunks(reader):
    while True:
        line = await reader.readuntil(b'\r\n')
        yield line, 0
        size = int(line.split(b';')[0], 16)
        while size:
            piece = await reader.read(min(size, PIECE_BYTES))
            if not piece:
                return
            size -= len(piece)
            yield piece, len(piece)
        end = await reader.readuntil(b'\r\n')
        yield end, 0
        if int(line.split(b';')[0], 16) == 0:
            return
