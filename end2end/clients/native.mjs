// A client of the native wire: node native.mjs [URL] [DEVICE] [FRAMES]
import { createHash } from 'node:crypto';
import WebSocket from 'ws';

const [base = 'http://127.0.0.1:8080', device = 'board-1', frames = Infinity] = process.argv.slice(2);
const { integrity } = await (await fetch(`${base}/api/session`)).json();
const code = (text) => createHash('md5').update(text + integrity.key).digest('hex');
const seal = (text) => `{"checksum":"${code(text)}",${text.slice(1)}`;
const socket = new WebSocket(`${base.replace(/^http/, 'ws')}/ws/device?device_id=${device}`, 'gapless.v1');
const say = (type, data) => socket.send(seal(JSON.stringify({ data, timestamp: Date.now(), type })));
setInterval(() => say('HEARTBEAT', {}), 10_000);
let expected = 1;
socket.on('message', (bytes) => {
  const text = bytes.toString(), frame = JSON.parse(text);
  if (text !== seal(`{${text.slice(47)}`)) throw new Error(`check code of ${text}`);
  if (frame.seq > expected && !frame.recovered) say('DATA_LOST', { ranges: [[expected, frame.seq - 1]] });
  if (frame.seq && !frame.recovered) expected = frame.seq + 1;
  console.log(frame.seq ?? '-', frame.type, JSON.stringify(frame.data).slice(0, 100));
  if (frame.seq >= frames) process.exit(0);
});
socket.on('close', (why) => process.exit(why === 1000 ? 0 : 1));
