"""HTTP to a lab's proxy from outside its network namespace: containers, histories, reading back."""

import contextlib
import hashlib
import http.client
import time
import urllib.parse

from . import layout, object_plan


class ProxyError(RuntimeError):
    """The proxy answered with something else than the lab needs."""


@contextlib.contextmanager
def connection(lab):
    """A kept-alive HTTP connection to the proxy."""
    link = http.client.HTTPConnection(*layout.PROXY_ADDRESS, timeout=120)
    # http.client connects by itself after the server closed; it must get there the same way.
    link._create_connection = lambda address, *_rest: lab.connect(*address)
    try:
        yield link
    finally:
        link.close()


def path_of(*parts):
    """/v1/account[/container[/object]], quoted."""
    return '/v1/' + '/'.join(urllib.parse.quote(part, safe='/') for part in parts)


def request(link, method, path, body=None, headers=None):
    """(status, headers, body) of one request. Header values may be any text; they go as UTF-8."""
    encoded = {name: str(value).encode('utf-8') for name, value in (headers or {}).items()}
    link.request(method, path, body=body, headers=encoded)
    response = link.getresponse()
    return response.status, response.headers, response.read()


def make_container(lab, account, container, policy_name):
    with connection(lab) as link:
        status, _headers, body = request(link, 'PUT', path_of(account, container),
                                         headers={'X-Storage-Policy': policy_name,
                                                  'Content-Length': 0})
    if status not in (201, 202):
        raise ProxyError(f'container {container}: {status} {body[:500]!r}')


def replay(lab, history):
    """Sends a history's requests, at the times it names; returns the etag of the last PUT."""
    etag, expired = None, False
    path = path_of(history['account'], history['container'], history['name'])
    with connection(lab) as link:
        for event in history['events']:
            body, headers = None, _headers(event)
            if event['op'] == 'put':
                body = object_plan.content(object_plan.content_key(history, event),
                                           event['bytes'])
                etag = hashlib.md5(body).hexdigest()
            status, _answer, text = request(link, event['op'].upper(), path, body, headers)
            gone = status == 404 and event['op'] != 'put' and expired
            if event['op'] == 'put':
                expired = event.get('delete_at') and event['delete_at'] <= time.time()
            if not 200 <= status < 300 and not gone:
                raise ProxyError(f'{event["op"]} {path}: {status} {text[:500]!r}')
    return etag


def _headers(event):
    headers = {f'X-Object-Meta-{name}': value for name, value in (event.get('meta') or {}).items()}
    headers['X-Timestamp'] = f'{float(event["at"]):016.5f}'
    if event.get('content_type'):
        headers['Content-Type'] = event['content_type']
    if event.get('delete_at'):
        headers['X-Delete-At'] = event['delete_at']
    return headers


def check(link, entry):
    """Reads one catalogued object; returns a complaint or None."""
    history = entry['history']
    path = path_of(history['account'], history['container'], history['name'])
    put, meta = object_plan.outcome(history, time.time())
    status, headers, body = request(link, 'GET', path)
    if put is None:
        return None if status == 404 else f'{path}: {status} instead of 404'
    if status != 200:
        return f'{path}: {status} instead of 200'
    if len(body) != put['bytes'] or hashlib.md5(body).hexdigest() != entry['etag']:
        return f'{path}: {len(body)} bytes of wrong content, expected {put["bytes"]}'
    for name, value in meta.items():
        found = (headers.get(f'X-Object-Meta-{name}') or '').encode('latin-1', 'replace')
        if found != value.encode('utf-8'):
            return f'{path}: metadata {name} is {found!r}, expected {value!r}'
    return None
