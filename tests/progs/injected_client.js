// SPDX-License-Identifier: MIT
// injected_client.js PORT: the events of a connection, a line each.
const net = require('net');
let got = 0;
const c = net.connect(Number(process.argv[2]), '127.0.0.1', () => {
	console.log('connect');
	c.write('GET /big HTTP/1.0\r\n\r\n');
});
c.on('data', (d) => { got += d.length; });
c.on('end', () => console.log('end after', got));
c.on('error', (e) => {
	console.log('error', e.code, e.syscall, e.errno, 'after', got);
});
c.on('close', (failed) => console.log('close', failed));
