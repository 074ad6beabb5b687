// SPDX-License-Identifier: MIT
// net and http: a server and its client in one process.
const net = require('net');
const http = require('http');
const SIZE = 100000;

const echo = net.createServer((c) => c.pipe(c));
echo.listen(0, '127.0.0.1', () => {
	const c = net.connect(echo.address().port, '127.0.0.1');
	let got = 0;
	c.write(Buffer.alloc(SIZE, 'x'));
	c.on('data', (d) => {
		got += d.length;
		if (got === SIZE)
			c.end();
	});
	c.on('close', () => {
		console.log('echoed', got);
		echo.close(web);
	});
});

function web() {
	const server = http.createServer((req, res) => {
		let body = '';
		req.on('data', (d) => { body += d; });
		req.on('end', () => res.end('you said ' + body));
	});
	server.listen(0, '127.0.0.1', () => {
		const req = http.request({
			host: '127.0.0.1', port: server.address().port,
			method: 'POST', agent: false,
		}, (res) => {
			res.setEncoding('utf8');
			res.on('data', (d) => console.log(res.statusCode, d));
			res.on('end', () => server.close());
		});
		req.end('hello');
	});
}
