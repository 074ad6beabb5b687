// SPDX-License-Identifier: MIT
// gated_echo.js: what comes goes back.  Its port is written first.
const server = require('net').createServer((c) => c.pipe(c));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
