// SPDX-License-Identifier: MIT
// gated_client.js PORT SECONDS: an HTTP request with a time-out, its events.
const http = require('http');
let got = 0;
const req = http.get({
	host: '127.0.0.1', port: Number(process.argv[2]), path: '/big',
	timeout: 1000 * Number(process.argv[3]), agent: false,
}, (res) => {
	console.log('status', res.statusCode);
	res.on('data', (d) => { got += d.length; });
	res.on('end', () => console.log('end after', got));
	res.on('error', (e) => console.log('error', e.code, 'after', got));
});
req.on('timeout', () => {
	console.log('timeout after', got);
	req.destroy();
});
req.on('error', (e) => console.log('error', e.code));
req.on('close', () => console.log('close'));
