// SPDX-License-Identifier: MIT
// The same as server.py, in node.
let here = 0, begin = 0;

function used() {
  const t = process.cpuUsage();
  return (t.user + t.system) / 1e3;
}

const server = require('net').createServer((socket) => {
  begin ||= used();
  here++;
  socket.on('data', (data) => socket.write(data));
  socket.on('close', () => {
    if (--here == 0) {
      console.log((used() - begin).toFixed(1));
      process.exit(0);
    }
  });
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 500 },
              () => console.log(server.address().port));
