"""A tool reads a web page as text; here one of this machine, which has to be allowed.

Run it: python examples/tools_web_page.py
"""

from __future__ import annotations

import asyncio

from agentopic.core import CancellationToken
from agentopic.errors import AddressRefusedError
from agentopic.ext.tools.web import WebPageTool

PAGE = b"<title>Shop</title><h1>Open</h1><p>From <b>nine</b> to five.</p><a href='/map'>Map</a>"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE)
    await writer.drain()
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    arguments = {"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"}

    try:
        await WebPageTool().run_json(arguments, CancellationToken())
    except AddressRefusedError:
        print("refused: loopback")

    tool = WebPageTool(allowed_networks=["127.0.0.1"])
    page = await tool.run_json(arguments, CancellationToken())
    print(page.title, "|", " ".join(page.text.split()))
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
