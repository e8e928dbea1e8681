"""A client of the native wire: python3 native.py [URL] [DEVICE] [FRAMES]"""
import asyncio, hashlib, json, sys, time, urllib.request
import websockets

base, device, frames = (sys.argv[1:] + ["http://127.0.0.1:8080", "board-1", "1e9"][len(sys.argv) - 1:])[:3]
key = json.load(urllib.request.urlopen(f"{base}/api/session"))["integrity"]["key"]


def seal(text):
    return '{"checksum":"%s",%s' % (hashlib.md5((text + key).encode()).hexdigest(), text[1:])


async def main():
    url = f"{base.replace('http', 'ws', 1)}/ws/device?device_id={device}"
    async with websockets.connect(url, subprotocols=["gapless.v1"]) as socket:
        async def say(kind, data):
            await socket.send(seal(json.dumps({"data": data, "timestamp": int(time.time() * 1000), "type": kind})))

        async def beat():
            while await asyncio.sleep(10, True):
                await say("HEARTBEAT", {})

        beating, expected = asyncio.create_task(beat()), 1
        async for text in socket:
            frame = json.loads(text)
            assert text == seal("{" + text[47:]), f"check code of {text}"
            if (seq := frame.get("seq")) and not frame.get("recovered"):
                if seq > expected:
                    await say("DATA_LOST", {"ranges": [[expected, seq - 1]]})
                expected = seq + 1
            print(seq or "-", frame["type"], json.dumps(frame["data"])[:100], flush=True)
            if seq and seq >= float(frames):
                return beating.cancel()


asyncio.run(main())
